"""Studies and images made up for the benchmarks, and the real workflow run on them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.jobs import ROOT, snakemake
from dying_relu.configuration import IMAGE_SETS
from dying_relu.data.dataset import save
from dying_relu.data.decode import Arrays


def grid(
    name: str,
    architectures: dict[str, Any],
    datasets: dict[str, int],
    levels: tuple[int, int],
    replicates: int,
    activations: Sequence[str] = ("relu",),
) -> dict[str, Any]:
    """A configuration with plain SGD, minibatches of 128, one experiment, and as much measuring as in the default study.

    Args:
        name: of the study.
        architectures: by name, as in a configuration.
        datasets: training examples, by data set.
        levels: number of learning rates and of initial biases.
        replicates: of each point of the grid.
        activations: of the hidden units.
    """
    rates, biases = levels
    return {
        "study": name,
        "device": "cpu",
        "datasets": {dataset: {"train": examples, "test": 1000} for dataset, examples in datasets.items()},
        "architectures": architectures,
        "optimisers": {"sgd": {"kind": "sgd"}},
        "training": {"batch_size": 128, "epochs": 3},
        "measuring": {"train": min(300, *datasets.values()), "test": 200, "checkpoints": 2},
        "experiments": {
            "causes": {
                "question": "What does a network cost?",
                "replicates": replicates,
                "grid": {
                    "dataset": list(datasets),
                    "architecture": list(architectures),
                    "optimiser": ["sgd"],
                    "activation": list(activations),
                    "initial_bias": [-0.1 * place for place in range(biases)],
                    "learning_rate": [round(0.001 + 0.0005 * place, 4) for place in range(rates)],
                },
            }
        },
    }


def write(configuration: dict[str, Any], folder: Path) -> Path:
    """Write ``configuration`` to a file in ``folder``; returns its path."""
    path = folder / f"{configuration['study']}.yaml"
    # JSON is YAML.
    path.write_text(json.dumps(configuration, indent=2), encoding="utf-8")
    return path


def make_images(dataset: str, folder: Path) -> None:
    """Random pixels in the file in which the workflow looks for the data set: the network of this machine is no matter."""
    known = IMAGE_SETS[dataset]
    random = np.random.default_rng(0)

    def pixels(count: int) -> np.ndarray:
        shape = (count, known.side, known.side, known.channels)
        return random.integers(0, 256, shape if known.channels > 1 else shape[:-1], np.uint8)

    def labels(count: int) -> np.ndarray:
        return random.integers(0, known.classes, count, np.uint8)

    arrays = Arrays(pixels(known.train), labels(known.train), pixels(known.test), labels(known.test))
    (folder / "data").mkdir(parents=True, exist_ok=True)
    save(dataset, arrays, "random numbers", folder / "data" / f"{dataset}.safetensors")


def train(configuration: Path, cores: int, *options: str) -> str:
    """Run the project's workflow for ``configuration`` in the folder where it lies, up to the study's tables."""
    return snakemake(
        "train", *options, "--snakefile", str(ROOT / "Snakefile"), "--configfile", str(configuration),
        "--cores", str(cores), folder=configuration.parent,
    )  # fmt: skip
