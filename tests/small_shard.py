"""A shard of a few small networks, and images for it: real enough for networks to learn from."""

from pathlib import Path

import pandas as pd
import torch

from dying_relu.configuration import Configuration
from dying_relu.data import Dataset
from dying_relu.plan import study
from dying_relu.results import schemas, store
from dying_relu.training.shard_job import train

GRID = {
    "dataset": ["mnist"],
    "architecture": ["mlp"],
    "optimiser": ["sgd"],
    "activation": ["relu"],
    "learning_rate": [0.05],
}


def shard_of(**changes) -> study.Shard:
    experiment = {"question": "?", "grid": GRID | changes, "record_units": True, "steps": 40}
    configuration = {
        "study": "tiny",
        "datasets": {"mnist": {"train": 400, "test": 300}},
        "architectures": {
            "mlp": {"kind": "mlp", "widths": [16, 12]},
            "cnn": {"kind": "cnn", "channels": [4, 6], "widths": [8]},
            "mlp_batch_norm": {"kind": "mlp", "widths": [16, 12], "normalisation": "batch"},
            "mlp_centred": {"kind": "mlp", "widths": [16, 12], "centring": "minibatch"},
            "cnn_layer_norm": {"kind": "cnn", "channels": [4, 6], "widths": [8], "normalisation": "layer"},
        },
        "optimisers": {
            "sgd": {"kind": "sgd"},
            "momentum": {"kind": "sgd", "momentum": 0.9},
            "adam": {"kind": "adam"},
            "sgd_clipped": {"kind": "sgd", "clip_norm": 0.5, "weight_decay": 0.01, "warm_up_steps": 20},
            "adam_recycled": {"kind": "adam", "recycle_every": 10},
        },
        "inputs": {"offset": {"kind": "offset", "share": 0.3}},
        "interventions": {
            "cosine": {"kind": "cosine"},
            "renewal": {"kind": "forbid_by_renewal"},
            "placebo": {"kind": "forbid_by_undoing", "placebo": True},
            "damage": {"kind": "damage", "steps": 5, "factor": 20.0, "remove": "nearly_dead"},
            "several": {"kind": "several", "of": ["damage", "cosine", "placebo"]},
        },
        "training": {"batch_size": 32},
        "measuring": {"train": 270, "test": 300, "checkpoints": 5},
        "experiments": {"tiny": experiment},
    }
    (shard,) = study.plan(Configuration.model_validate(configuration)).shards
    return shard


def blurred_prototypes() -> Dataset:
    """Images of ten blurred prototypes: real enough for networks to learn from."""
    generator = torch.Generator().manual_seed(0)
    prototypes = torch.randn(10, 1, 28, 28, generator=generator)
    labels = torch.randint(10, (700,), generator=generator)
    images = prototypes[labels] + torch.randn(700, 1, 28, 28, generator=generator)
    return Dataset(
        name="mnist",
        train_images=images[:400],
        train_labels=labels[:400],
        test_images=images[400:],
        test_labels=labels[400:],
        mean=torch.zeros(1),
        std=torch.ones(1),
        classes=10,
        checksum="invented",
    )


def tables(shard: study.Shard, data: Dataset, folder: Path) -> dict[str, pd.DataFrame]:
    train(shard, data, folder / shard.name)
    return {name: store.read(name, folder / shard.name / f"{name}.parquet") for name in schemas.TABLES}
