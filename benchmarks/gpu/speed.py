"""The engine beside the usual loop and torch.func on the device, and the choices that only a measurement can make.

A row of ``gpu.csv`` is a method with a stack on a case. ``stacked`` is the engine as it is, ``stacked_captured`` with each step captured
as a CUDA graph. TF32 is off for all. The file is written anew after each case, so that a time limit leaves the cases before it.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor

from benchmarks import cases
from benchmarks.gpu.parts import ROOT, Options
from benchmarks.methods import METHODS
from benchmarks.workers import steps_per_s
from dying_relu.stack import execution, precision

OURS, CAPTURED = "stacked", "stacked_captured"
PUBLISHED = ROOT / "results" / "published" / "performance" / "engine.csv"
WARM_UP_STEPS = 6
WAITS_EVERY = 16
"""Steps after which the CPU waits for the device: otherwise it launches far more than the time of a measurement can hold."""
SECONDS = 120
"""No case is begun later, for the time limit to leave the tables whole."""


class Scope(NamedTuple):
    """How much is measured: networks at a time by kind of architecture, rounds, and seconds in each."""

    cases: tuple[str, ...]
    stacks: dict[str, tuple[int, ...]]
    rounds: int
    seconds: float


OWN_CASES = ("mlp-sgd-relu", "mlp-adam-relu", "cnn-sgd-relu", "cnn-adam-relu")
SHORT = Scope(("mlp-adam-relu",), {"mlp": (2,), "cnn": (2,)}, rounds=2, seconds=0.05)


def run(options: Options) -> int:
    """Measure every case and write ``gpu.csv``.

    Args:
        options: the device, and how much.

    Returns:
        0.
    """
    device = torch.device(options.device)
    precision.forbid_tf32()
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{card}, torch {torch.__version__}, TF32 off")
    tables: list[pd.DataFrame] = []
    started = time.monotonic()
    for case in _scope(options).cases:
        if tables and time.monotonic() - started > SECONDS:
            print(f"not run, for want of time: {case}")
            continue
        tables.append(_case(cases.Case(case), _scope(options), device))
        table = pd.concat(tables, ignore_index=True)
        table.insert(0, "card", card)
        table.to_csv(options.out / "gpu.csv", index=False)
        print(tables[-1].to_string(index=False, float_format="{:.4g}".format), flush=True)
    _advise(table)
    return 0


def _scope(options: Options) -> Scope:
    if options.short:
        return SHORT
    of_study = tuple(
        name for name, case in cases.of_study().items() if case.setting.architecture.kind == "cnn"
    )
    stacks: dict[str, tuple[int, ...]] = {"mlp": (64, 512, 2048), "cnn": (16, 64, 256)}
    return Scope((*OWN_CASES, *of_study), stacks, rounds=3, seconds=0.25)


@dataclass
class Contestant:
    """A method with a stack, ready to train."""

    method: str
    stack: int
    train: Callable[[], Tensor]
    steps: int = 0

    def step(self) -> None:
        """Train on a minibatch."""
        losses = self.train()
        self.steps += 1
        if losses.is_cuda and self.steps % WAITS_EVERY == 0:
            torch.cuda.synchronize()


def _case(case: cases.Case, scope: Scope, device: torch.device) -> pd.DataFrame:
    """Measure the contestants of a case in turn."""
    rates: dict[tuple[str, int], list[float]] = {}
    contestants = list(_contestants(case, scope, device))
    for number in range(scope.rounds):
        for contestant in contestants if number % 2 == 0 else reversed(contestants):
            rate = steps_per_s(contestant, scope.seconds, device) * case.batch_size * contestant.stack
            rates.setdefault((contestant.method, contestant.stack), []).append(rate)
    rows = [
        {"case": case.name, "method": method, "stack": stack, "samples_per_s": statistics.median(measured)}
        for (method, stack), measured in rates.items()
    ]
    table = pd.DataFrame(rows)
    best = table.groupby("method")["samples_per_s"].max()
    table["gflops"] = table["samples_per_s"] * case.flops_per_sample / 1e9
    for peer in ("usual", "torch_func"):
        table[f"ratio_to_{peer}"] = table["samples_per_s"] / best.get(peer, float("nan"))
    table["ratio_to_published_cpu"] = table["samples_per_s"] / _published_rate(case.name)
    return table


def _contestants(case: cases.Case, scope: Scope, device: torch.device) -> Iterator[Contestant]:
    kind, examples = case.setting.architecture.kind, case.examples()
    for method in ("usual", "torch_func", OURS, *([CAPTURED] if device.type == "cuda" else [])):
        name = OURS if method == CAPTURED else method
        for stack in scope.stacks[kind] if method != "usual" else (1,):
            started = time.monotonic()
            try:
                with execution.chosen(captures_steps=method == CAPTURED):
                    made = METHODS[name](case, range(stack), examples, "float32", device)
                for _ in range(WARM_UP_STEPS):
                    made.step()
            except torch.OutOfMemoryError:
                print(f"not run: {case.name}, {method}, {stack} networks: too little memory")
                continue
            print(f"{case.name}, {method}, {stack} networks: ready after {time.monotonic() - started:.1f} s")
            yield Contestant(method, stack, made.step)


def _published_rate(case: str) -> float:
    """Samples per second of the engine in the tracked table, on all cores of the machine that made it; NaN if it has no such case."""
    table = pd.read_csv(PUBLISHED)
    chosen = (table["case"] == case) & (table["method"] == OURS) & (table["precision"] == "float32")
    return float(table.loc[chosen & (table["device"] == "cpu"), "samples_per_s"].max())


def _advise(table: pd.DataFrame) -> None:
    rates = table.pivot_table("samples_per_s", "case", "method", aggfunc="max")
    if CAPTURED not in rates:
        print("no CUDA device: whether to capture steps was not measured")
        return
    print((rates[CAPTURED] / rates[OURS]).rename("captured / as it is").to_string())
