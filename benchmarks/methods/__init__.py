"""Ways of training: to add one, write a class like those beside this file and an entry in ``METHODS``."""

from benchmarks.methods.base import Method
from benchmarks.methods.jax_vmap import JaxVmap
from benchmarks.methods.stacked import Stacked
from benchmarks.methods.torch_func import TorchFunc
from benchmarks.methods.torch_func_compiled import TorchFuncCompiled
from benchmarks.methods.usual import Usual

METHODS: dict[str, type[Method]] = {
    "usual": Usual,
    "torch_func": TorchFunc,
    "torch_func_compiled": TorchFuncCompiled,
    "jax": JaxVmap,
    "stacked": Stacked,
}
