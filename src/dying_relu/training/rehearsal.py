"""A rehearsal of a training: what is slow the first time in a process is over when a process that forks for jobs has rehearsed."""

from pathlib import Path

import torch

from dying_relu.configuration import Configuration
from dying_relu.data import Dataset
from dying_relu.plan import study
from dying_relu.plan.shard import Shard
from dying_relu.results.store import checked
from dying_relu.training.inputs import InputsByName
from dying_relu.training.stack_training import StackTraining

EXAMPLES = 8
STUDY = {
    "study": "rehearsal",
    "datasets": {"mnist": {"train": EXAMPLES, "test": EXAMPLES}},
    "architectures": {
        "mlp": {"kind": "mlp", "widths": [4, 4]},
        "cnn": {"kind": "cnn", "channels": [4, 4], "widths": [4]},
    },
    "optimisers": {"sgd": {"kind": "sgd"}, "adam": {"kind": "adam"}},
    "training": {"batch_size": 4},
    "measuring": {"train": EXAMPLES, "test": EXAMPLES, "checkpoints": 2},
    "experiments": {
        "every_part": {
            "question": "Is everything there?",
            "steps": 2,
            "record_units": True,
            "grid": {
                "dataset": ["mnist"],
                "architecture": ["mlp", "cnn"],
                "optimiser": ["sgd", "adam"],
                "activation": ["relu"],
                "learning_rate": [0.1],
            },
        }
    },
}


def rehearse() -> None:
    """Train four tiny networks on random images, measure them, and check their tables; nothing is written.

    This loads compiled loops, PyTorch's operators and the schemas' checks. It starts no threads.
    """
    for shard in study.plan(Configuration.model_validate(STUDY)).shards:
        _rehearse(shard)


def _rehearse(shard: Shard) -> None:
    images = torch.rand(EXAMPLES, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(EXAMPLES)
    data = Dataset("mnist", images, labels, images, labels, torch.zeros(1), torch.ones(1), 10, "random")
    for run in shard.runs:
        inputs = InputsByName(data, shard.inputs)[run.inputs]
        tables = StackTraining(shard, [run], inputs).finish().tables()
        for name, table in tables.items():
            if not table.empty:
                checked(name, table, Path("rehearsal"))
