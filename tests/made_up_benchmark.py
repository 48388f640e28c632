"""A benchmark's measurements, made up, for tests of what is made of them."""

import pandas as pd

from benchmarks import tables
from benchmarks.cases import CASES, Product
from benchmarks.contestants import GEMM, JOBS, Contestant, Layout

MLP = CASES["mlp-sgd-relu"]


def measured() -> pd.DataFrame:
    """Three rounds on a machine that does all things at half its speed in the second and a quarter in the third."""
    one_per_core = Layout(2, 1)
    products = 10e9 / Product(512).flops_per_sample
    rates = {
        Contestant(Product(512), GEMM, one_per_core): products,
        Contestant(Product(512), GEMM, one_per_core, precision="bf16"): 4 * products,
        Contestant(MLP, "usual", Layout(1, 2)): 400.0,
        Contestant(MLP, "usual", one_per_core): 1000.0,
        Contestant(MLP, "torch_func", one_per_core, 8): 1500.0,
        Contestant(MLP, "torch_func", one_per_core, 16): 2000.0,
        Contestant(MLP, "stacked", one_per_core, 8): 4000.0,
        Contestant(MLP, "stacked", one_per_core, 16, chosen=True): 3000.0,
        Contestant(MLP, "stacked", one_per_core, 8, "bf16", chosen=True): 8000.0,
        Contestant(MLP, JOBS, one_per_core): 100.0,
    }
    return pd.DataFrame(
        [
            tables.row(number, MLP.name, contestant, rate / speed)
            for number, speed in enumerate((1, 2, 4))
            for contestant, rate in rates.items()
        ]
    )
