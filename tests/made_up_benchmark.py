"""A benchmark's measurements, made up, for tests of what is made of them."""

from collections.abc import Sequence

import pandas as pd

from benchmarks import tables
from benchmarks.cases import CASES, Case, Product, of_study
from benchmarks.contestants import EARLIER, GEMM, JOBS, Contestant, Layout

MLP = CASES["mlp-sgd-relu"]
STUDY = next(iter(of_study()))
"""The name of a case of the default study."""


def measured(cases: Sequence[str] = (MLP.name,)) -> pd.DataFrame:
    """Three rounds on a machine that does all things at half its speed in the second and a quarter in the third."""
    return pd.DataFrame(
        [
            tables.row(number, name, contestant, rate / speed)
            for number, speed in enumerate((1, 2, 4))
            for name in cases
            for contestant, rate in _rates(Case(name)).items()
        ]
    )


def _rates(case: Case) -> dict[Contestant, float]:
    one_per_core = Layout(2, 1)
    products = 10e9 / Product(512).flops_per_sample
    return {
        Contestant(Product(512), GEMM, one_per_core): products,
        Contestant(Product(512), GEMM, one_per_core, precision="bf16"): 4 * products,
        Contestant(case, "usual", Layout(1, 2)): 400.0,
        Contestant(case, "usual", one_per_core): 1000.0,
        Contestant(case, "torch_func", one_per_core, 8): 1500.0,
        Contestant(case, "torch_func", one_per_core, 16): 2000.0,
        Contestant(case, "torch_func_compiled", one_per_core, 16): 2500.0,
        Contestant(case, f"{EARLIER}164eb25", one_per_core, 8, chosen=True): 1200.0,
        Contestant(case, "stacked", one_per_core, 8): 4000.0,
        Contestant(case, "stacked", one_per_core, 16, chosen=True): 3000.0,
        Contestant(case, "stacked", one_per_core, 8, "bf16", chosen=True): 8000.0,
        Contestant(case, JOBS, one_per_core): 100.0,
    }
