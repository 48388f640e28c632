"""A process that trains with the engine of another source tree, for :mod:`benchmarks.earlier`.

It is run as a file with the other tree's ``src`` and root on the path: ``dying_relu`` and ``benchmarks`` are those of that
tree, whatever its modules are called, and nothing of this one is imported. It answers requests, a JSON object a line.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

METHOD = "stacked"
WARM_UP_STEPS = 3
_EXAMPLES: dict[str, Any] = {}
"""By data set, one copy in memory for all cases that train on them."""


def main() -> None:
    """Answer requests from standard input until it ends; arguments: the tree, and the number of threads."""
    # What a library prints goes to standard error, so that answers stay alone.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    import torch

    import dying_relu
    from benchmarks.methods import METHODS

    tree, threads = Path(sys.argv[1]), int(sys.argv[2])
    assert Path(str(dying_relu.__file__)).is_relative_to(tree), f"{dying_relu.__file__} is not in {tree}"
    torch.set_num_threads(threads)
    METHODS[METHOD].prepare_process()
    trainers: dict[str, Any] = {}
    for line in sys.stdin:
        request = json.loads(line)
        answer = _chosen_stack(request) if request["asks"] == "stack" else _steps_per_s(request, trainers)
        print(json.dumps(answer), file=answers, flush=True)


def _chosen_stack(request: dict[str, Any]) -> int:
    """The stack size that the tree's engine chooses on this machine."""
    from benchmarks.contestants import QUICK, contestants

    everything = contestants(_case(request), QUICK, "cpu", 1, ["float32"])
    return next(contestant.stack for contestant in everything if contestant.chosen)


def _steps_per_s(request: dict[str, Any], trainers: dict[str, Any]) -> float:
    """Steps per second as :func:`benchmarks.workers.steps_per_s` counts them; the first time the trainer is built."""
    name = request["name"]
    if name not in trainers:
        trainers[name] = _trainer(request)
        for _ in range(WARM_UP_STEPS):
            trainers[name].step()
    if not request["seconds"]:
        return 0.0
    trainer = trainers[name]
    trainer.step()
    start, steps = time.perf_counter(), 0
    while time.perf_counter() - start < request["seconds"]:
        trainer.step()
        steps += 1
    return steps / (time.perf_counter() - start)


def _trainer(request: dict[str, Any]) -> Any:
    import torch

    from benchmarks.methods import METHODS

    case, stack = _case(request), range(request["stack"])
    if request["dataset"] not in _EXAMPLES:
        _EXAMPLES[request["dataset"]] = case.examples()
    return METHODS[METHOD](case, stack, _EXAMPLES[request["dataset"]], "float32", torch.device("cpu"))


def _case(request: dict[str, Any]) -> Any:
    """The case by its name; its setting is told to the tree, which may not know this study."""
    from benchmarks.cases import Case
    from dying_relu.configuration import CNN, MLP

    try:
        from benchmarks import settings as owner
    except ImportError:
        # Up to commit 164eb25 they stood beside the cases.
        from benchmarks import cases as owner  # type: ignore[no-redef]
    architecture = request["architecture"]
    kind = CNN if architecture["kind"] == "cnn" else MLP
    setting = owner.Setting(kind.model_validate(architecture), request["dataset"], request["batch_size"])
    owner.SETTINGS[request["name"].split("-")[0]] = setting
    return Case(request["name"])


if __name__ == "__main__":
    main()
