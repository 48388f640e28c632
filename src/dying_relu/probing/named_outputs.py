"""Outputs that the caller of the probe names as activations: of modules, and of functions that modules call."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.activations import CallNames, place_of, place_of_function

MOST_LISTED = 40
"""So many functions are listed for a name that fits none."""


class NamedOutputs:
    """The modules and functions whose outputs are activations.

    Args:
        model: in which they are.
        names: paths of modules, or ``path:function`` with "#2", "#3", ... behind it for later calls; or patterns of either.

    Attributes:
        modules: the paths of the modules among them.

    >>> named = NamedOutputs(nn.Sequential(nn.Linear(2, 3)), ["0", "exp"])
    >>> named.modules, named.function("", "exp"), named.function("", "mul")
    ({'0'}, 'exp', None)
    """

    def __init__(self, model: nn.Module, names: str | Sequence[str]) -> None:
        self.names = (names,) if isinstance(names, str) else tuple(names)
        paths = [path for path, _ in model.named_modules()]
        self.modules = {path for path in paths if any(fnmatchcase(path, one) for one in self.names)}
        self._functions = [one for one in self.names if not any(fnmatchcase(path, one) for path in paths)]
        self._unmatched = set(self._functions)
        self._called: dict[str, None] = {}
        self.start_batch()

    @property
    def has_functions(self) -> bool:
        """True if functions are among them."""
        return bool(self._functions)

    def start_batch(self) -> None:
        """Begin a batch: calls are counted from one again."""
        self._calls = CallNames()

    def function(self, path: str, function: str) -> str | None:
        """The name of one more call of a function, if its output is named; else None.

        Args:
            path: of the module that calls it.
            function: its name.
        """
        name = self._calls.next(place_of_function(path, function))
        self._called[name] = None
        fitting = [
            one for one in self._functions if fnmatchcase(name, one) or fnmatchcase(place_of(name), one)
        ]
        self._unmatched.difference_update(fitting)
        return name if fitting else None

    def require_found(self) -> None:
        """Require that each name has fitted something.

        Raises:
            DyingReluError: one has not.
        """
        if not self._unmatched:
            return
        called = list(self._called)
        more = f" and {len(called) - MOST_LISTED} more" if len(called) > MOST_LISTED else ""
        raise DyingReluError(
            "activations names a module or function that is not there",
            found=", ".join(repr(one) for one in self._functions if one in self._unmatched),
            expected="paths of modules, as model.named_modules() gives them, or functions that the model calls: "
            + (", ".join(called[:MOST_LISTED]) or "none was seen")
            + more,
            remedy="mark_activation(tensor, name) in forward names any tensor",
        )


def function_name(function: Callable[..., Any]) -> str:
    """The name of a function of PyTorch's, without the marks of operators and of functions that work in place.

    Args:
        function: as PyTorch hands it to a TorchFunctionMode.

    >>> import torch
    >>> function_name(torch.Tensor.mul_), function_name(torch.Tensor.__matmul__)
    ('mul', 'matmul')
    """
    return getattr(function, "__name__", "").strip("_")
