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
    "dying_relu.adapters.scalars": "dying_relu.probing.scalars",
    "dying_relu.aggregation": "dying_relu.results.aggregate",
    "dying_relu.allocator": "dying_relu.stack.allocator",
    "dying_relu.analysis.attribution": "dying_relu.analysis.inference.attribution",
    "dying_relu.analysis.claims.settling": "dying_relu.analysis.claims.settle",
    "dying_relu.analysis.formatting": "dying_relu.analysis.latex",
    "dying_relu.analysis.statistics": "dying_relu.analysis.inference.intervals",
    "dying_relu.analysis.survival": "dying_relu.analysis.inference.survival",
    "dying_relu.analysis.verifying": "dying_relu.analysis.verify",
    "dying_relu.archive": "dying_relu.paper.archive",
    "dying_relu.atomic": "dying_relu.files.atomic",
    "dying_relu.bounded": "dying_relu.files.limits",
    "dying_relu.capacity": "dying_relu.training.effective_rank",
    "dying_relu.code_digest": "dying_relu.results.code_digest",
    "dying_relu.commit": "dying_relu.results.commit",
    "dying_relu.configuration.document": "dying_relu.configuration.yaml",
    "dying_relu.configuration.problems": "dying_relu.configuration.messages",
    "dying_relu.configuration.reading": "dying_relu.configuration.load",
    "dying_relu.cost": "dying_relu.plan.cost",
    "dying_relu.data.cache": "dying_relu.data.dataset",
    "dying_relu.data.checksums": "dying_relu.data.originals",
    "dying_relu.data.decoding": "dying_relu.data.decode",
    "dying_relu.data.downloading": "dying_relu.data.sources.torchvision",
    "dying_relu.data.fetching": "dying_relu.data.fetch",
    "dying_relu.data.layout": "dying_relu.data.sources.folder",
    "dying_relu.data.npm": "dying_relu.data.sources.npm",
    "dying_relu.data.watching": "dying_relu.data.sources.stalls",
    "dying_relu.debian": "dying_relu.paper.debian",
    "dying_relu.device": "dying_relu.training.device",
    "dying_relu.initialisation": "dying_relu.stack.initialisation",
    "dying_relu.jobs": "dying_relu.plan.resources",
    "dying_relu.latex": "dying_relu.paper.latex",
    "dying_relu.locking": "dying_relu.files.locks",
    "dying_relu.measuring": "dying_relu.training.measurement",
    "dying_relu.memory": "dying_relu.plan.memory",
    "dying_relu.models": "dying_relu.training.models",
    "dying_relu.origin": "dying_relu.results.origin",
    "dying_relu.overview": "dying_relu.plan.overview",
    "dying_relu.precision": "dying_relu.stack.precision",
    "dying_relu.probing.equality": "dying_relu.probing.equivalence",
    "dying_relu.probing.following": "dying_relu.probing.graph",
    "dying_relu.probing.functions": "dying_relu.probing.activations",
    "dying_relu.probing.inputs": "dying_relu.probing.batches",
    "dying_relu.probing.lives": "dying_relu.units.history",
    "dying_relu.probing.monitoring": "dying_relu.probing.monitor",
    "dying_relu.probing.named": "dying_relu.probing.command",
    "dying_relu.probing.naming": "dying_relu.probing.activations",
    "dying_relu.probing.origins": "dying_relu.probing.tracking",
    "dying_relu.probing.page": "dying_relu.probing.html",
    "dying_relu.probing.plotting": "dying_relu.probing.plot",
    "dying_relu.probing.printing": "dying_relu.probing.console",
    "dying_relu.probing.probing": "dying_relu.probing.probe",
    "dying_relu.probing.pruning": "dying_relu.probing.prune",
    "dying_relu.probing.repeatable": "dying_relu.probing.batches",
    "dying_relu.probing.reviving": "dying_relu.probing.revive",
    "dying_relu.probing.scanning": "dying_relu.probing.statistics",
    "dying_relu.probing.showing": "dying_relu.probing.batches",
    "dying_relu.probing.tracing": "dying_relu.probing.graph",
    "dying_relu.probing.undisturbed": "dying_relu.probing.batches",
    "dying_relu.probing.unseen": "dying_relu.probing.activations",
    "dying_relu.probing.watching": "dying_relu.probing.hooks",
    "dying_relu.probing.wiring": "dying_relu.probing.dependencies",
    "dying_relu.provenance": "dying_relu.results.provenance",
    "dying_relu.recording": "dying_relu.training.recorder",
    "dying_relu.recycling": "dying_relu.training.redo",
    "dying_relu.reductions": "dying_relu.units.reductions",
    "dying_relu.saved_state": "dying_relu.training.resume",
    "dying_relu.schemas": "dying_relu.results.schemas",
    "dying_relu.study": "dying_relu.plan.study",
    "dying_relu.sums": "dying_relu.files.checksums",
    "dying_relu.system_errors": "dying_relu.errors",
    "dying_relu.torchvision_import": "dying_relu.adapters.torchvision_import",
    "dying_relu.trainer": "dying_relu.training.trainer",
    "dying_relu.transitions": "dying_relu.training.transitions",
    "dying_relu.typeset": "dying_relu.paper.typeset",
    "dying_relu.validation": "dying_relu.simulations",
    "dying_relu.validation.birth": "dying_relu.simulations.born_dead",
    "dying_relu.validation.checks": "dying_relu.simulations.checks",
    "dying_relu.validation.collapse": "dying_relu.simulations.collapse",
    "dying_relu.validation.inputs": "dying_relu.simulations.inputs",
    "dying_relu.validation.keeping": "dying_relu.simulations.tables",
    "dying_relu.validation.networks": "dying_relu.simulations.networks",
    "dying_relu.validation.protocol": "dying_relu.simulations.protocol",
    "dying_relu.validation.simulating": "dying_relu.simulations.probabilities",
    "dying_relu.validation.validating": "dying_relu.simulations.validation",
}
"""Old module -> new module: each module of version 0.1.0 that moved. Those that were split up have no successor."""

NAMES = {
    "dying_relu.results": (
        "dying_relu.results.store",
        {
            "BYTES_PER_CELL",
            "COMPRESSION",
            "ORIGIN",
            "SHOWN",
            "UNREADABLE",
            "as_rows",
            "as_stored",
            "checked",
            "origin_of",
            "origin_of_study",
            "read",
            "readable",
            "write",
            "write_folder",
        },
    ),
    "dying_relu.training": ("dying_relu.training.shard_job", {"stacks", "train", "train_from_file"}),
    "dying_relu.units": (
        "dying_relu.units.definitions",
        {
            "SATURATION_TOLERANCE",
            "UnitStatistics",
            "dead",
            "died",
            "dormancy",
            "dormant",
            "inactive",
            "revived",
            "saturated",
        },
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
