"""Old names of what moved in version 0.2.0: each works until version 0.3.0, with a DeprecationWarning."""

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MODULES = {
    "dying_relu.activations": "dying_relu.stack.activations",
    "dying_relu.analysis.statistics": "dying_relu.analysis.inference.intervals",
    "dying_relu.schemas": "dying_relu.results.schemas",
    "dying_relu.validation": "dying_relu.simulations",
    "dying_relu.validation.checks": "dying_relu.simulations.checks",
}
"""Old module -> new module: those that the documentation and the notebooks of version 0.1.0 name."""

NAMES = {
    "dying_relu.results": ("dying_relu.results.store", {"read", "write"}),
    "dying_relu.units": (
        "dying_relu.units.definitions",
        {"UnitStatistics", "dead", "died", "dormancy", "dormant", "inactive", "revived", "saturated"},
    ),
}
"""Package that was a module -> where its names are now, and which."""

PATTERN = r".* is deprecated since dying-relu 0\.2\.0"
"""Regular expression of every warning of this module."""


def warn(old: str, new: str, stacklevel: int = 3) -> None:
    """Warn that ``old`` is now called ``new``.

    Args:
        old: the deprecated name.
        new: the name that replaces it.
        stacklevel: frames between this function and the line to blame, as :func:`warnings.warn` counts them.
    """
    warnings.warn(
        f"{old} is deprecated since dying-relu 0.2.0 and goes with 0.3.0; use {new}",
        DeprecationWarning,
        stacklevel=stacklevel,
    )


def forward(package: str) -> Callable[[str], object]:
    """Make the ``__getattr__`` of a package that was a module: it finds the module's names in their new place.

    Args:
        package: full name of the package, a key of ``NAMES``.

    Returns:
        A function from a name to the object, which raises AttributeError for a name that was never there.
    """
    module, names = NAMES[package]

    def moved(name: str) -> object:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        warn(f"{package}.{name}", f"{module}.{name}")
        return getattr(import_module(module), name)

    return moved


class MovedModules(MetaPathFinder, Loader):
    """Import hook that gives the new module for the old name of ``MODULES``."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in MODULES:
            return None
        warn(fullname, MODULES[fullname])
        return ModuleSpec(fullname, self)

    def exec_module(self, module: ModuleType) -> None:
        # The import system returns what it finds here when this is done, so both names are one module.
        sys.modules[module.__name__] = import_module(MODULES[module.__name__])


def install() -> None:
    """Make the old names of ``MODULES`` importable, once a process."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedModules())
