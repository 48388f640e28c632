"""Contestants: a method, how many networks it trains at a time, in which processes, on which case."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from benchmarks.cases import CASES, Case, Product, of_study
from benchmarks.methods import METHODS
from benchmarks.settings import is_of_study
from dying_relu.plan import memory

GEMM = "gemm"
OURS = "stacked"
JOBS = "usual_jobs"
"""The usual way, each network in a Snakemake job of its own."""
EARLIER = f"{OURS} at "
"""Our engine as another source tree has it; the tree's commit follows."""

PRODUCTS = {"cpu": (Product(512), Product(1024)), "cuda": (Product(4096), Product(8192))}
"""Sizes at which a core or a GPU reaches its peak; the faster one counts."""


class Layout(NamedTuple):
    """How a method uses the machine."""

    processes: int
    threads: int


@dataclass(frozen=True)
class Contestant:
    """One row of the table; ``chosen`` if nobody has to choose this stack, because our engine does."""

    case: Case | Product
    method: str
    layout: Layout
    stack: int = 1
    precision: str = "float32"
    device: str = "cpu"
    chosen: bool = False

    def samples_per_s(self, steps_per_s: float) -> float:
        """Examples times networks."""
        return steps_per_s * self.case.batch_size * self.stack

    def __str__(self) -> str:
        stack = f", {self.stack} networks" if self.stack > 1 else ""
        processes, threads = self.layout
        return f"{self.case.name}: {self.method}{stack}, {self.precision}, {processes} x {threads} on {self.device}"


Stacks = dict[str, tuple[int, ...]]
"""Kind of architecture -> networks at a time."""


@dataclass(frozen=True)
class Scope:
    """How much is measured.

    Attributes:
        cases: names of cases.
        stacks: networks at a time on a CPU, in the benchmark's own cases.
        study_stacks: the same for the networks of the default study.
        slow_stacks: the same for methods that are slow to prepare; they train the cases with ReLU only, and the default
            study's networks in the first of these stacks only.
        cuda_stacks: for all methods on a GPU.
        rounds: how often each contestant is measured.
        seconds: for how long each time.
        job_cases: cases in which jobs of one network each are measured too.
        job_rounds: in how many rounds.
        job_samples: training samples of each of their networks; by default as many as the case says.
    """

    cases: tuple[str, ...]
    stacks: Stacks
    study_stacks: Stacks
    slow_stacks: Stacks
    cuda_stacks: Stacks
    rounds: int
    seconds: float
    job_cases: tuple[str, ...]
    job_rounds: int
    job_samples: int | None = None


FULL = Scope(
    cases=tuple(CASES),
    stacks={"mlp": (4, 8, 16, 32), "cnn": (1, 2, 4, 8)},
    study_stacks={"mlp": (8, 32), "cnn": (1, 4)},
    slow_stacks={"mlp": (16, 32), "cnn": (1,)},
    cuda_stacks={"mlp": (16, 64, 256, 1024), "cnn": (16, 64, 256)},
    rounds=7,
    seconds=1.0,
    job_cases=("mlp-sgd-relu", "mlp-adam-relu", "cnn-sgd-relu"),
    job_rounds=3,
)
QUICK = Scope(
    cases=(
        "mlp-sgd-relu",
        "mlp-adam-relu",
        "cnn-sgd-relu",
        "cnn-adam-relu",
        "mlp-sgd-leaky_relu",
        "mlp-sgd-gelu",
    ),
    stacks={"mlp": (8, 16), "cnn": (1, 4)},
    study_stacks={"mlp": (16,), "cnn": (1,)},
    slow_stacks={"mlp": (16,), "cnn": (1,)},
    cuda_stacks={"mlp": (256,), "cnn": (64,)},
    rounds=3,
    seconds=0.5,
    job_cases=("mlp-sgd-relu", "cnn-sgd-relu"),
    job_rounds=1,
)


def with_study(scope: Scope) -> Scope:
    """``scope`` and the networks of the default study; of the convolutional ones jobs of one network, too."""
    study = of_study()
    jobs = (name for name, case in study.items() if case.setting.architecture.kind == "cnn")
    return replace(scope, cases=(*scope.cases, *study), job_cases=(*scope.job_cases, *jobs))


def peak(device: str, cores: int, precisions: Sequence[str]) -> list[Contestant]:
    """Products of matrices on all cores at once, each on its own; on a GPU one after the other."""
    layout = Layout(cores, 1) if device == "cpu" else Layout(1, 1)
    return [
        Contestant(product, GEMM, layout, precision=precision, device=device)
        for precision in precisions
        for product in PRODUCTS[device]
    ]


def contestants(
    case: Case, scope: Scope, device: str, cores: int, precisions: Sequence[str]
) -> list[Contestant]:
    """Everything that is compared on ``case``; what is compared with each other stands side by side.

    Args:
        case: what is trained.
        scope: stacks, and the cases with jobs of one network.
        device: cpu or cuda.
        cores: of this machine.
        precisions: keys of ``PRECISIONS``; a method that cannot have one is left out there.
    """
    chosen = peak(device, cores, precisions)
    for name, method in METHODS.items():
        if method.is_slow_to_prepare and case.activation.name != "relu":
            continue
        possible = method.precisions(device)
        if is_of_study(case.name) and name != OURS:
            # How the others fare in bf16 is seen on the benchmark's own networks.
            possible = ("float32",)
        for precision in (precision for precision in precisions if precision in possible):
            for layout in _layouts(name, device, cores):
                first = Contestant(case, name, layout, precision=precision, device=device)
                chosen += _stacks(first, scope) if method.trains_stacks else [first]
    if case.name in scope.job_cases and device == "cpu":
        chosen.append(Contestant(case, JOBS, Layout(cores, 1)))
    return chosen


def _stacks(contestant: Contestant, scope: Scope) -> Iterator[Contestant]:
    sizes = _stack_sizes(contestant, scope)
    chosen = _chosen_stack(contestant)
    for stack in sorted({*sizes, chosen or sizes[0]}):
        yield replace(contestant, stack=stack, chosen=stack == chosen)


def _stack_sizes(contestant: Contestant, scope: Scope) -> tuple[int, ...]:
    assert isinstance(contestant.case, Case)
    kind, study = contestant.case.setting.architecture.kind, is_of_study(contestant.case.name)
    if contestant.device != "cpu":
        return scope.cuda_stacks[kind]
    if METHODS[contestant.method].is_slow_to_prepare:
        return scope.slow_stacks[kind][:1] if study else scope.slow_stacks[kind]
    return (scope.study_stacks if study else scope.stacks)[kind]


def _chosen_stack(contestant: Contestant) -> int | None:
    """The stack size that our engine chooses on this machine; None for the other methods, and on a GPU."""
    if contestant.method != OURS or contestant.device != "cpu":
        return None
    assert isinstance(contestant.case, Case)
    setting, cache = contestant.case.setting, memory.second_level_cache()
    return memory.fastest_stack(setting.architecture, setting.dataset, contestant.case.optimiser, cache)


def _layouts(method: str, device: str, cores: int) -> list[Layout]:
    """One process per core; the usual way also in one process with all cores, as PyTorch does it by default."""
    if device != "cpu":
        return [Layout(1, cores)]
    usual = [Layout(1, cores)] if method == "usual" and cores > 1 else []
    return [*usual, Layout(cores, 1)]
