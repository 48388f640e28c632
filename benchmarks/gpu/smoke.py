"""The smoke study's training on the device: every shard, its tables written and checked, beside the CPU's for the first shard."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

from benchmarks.gpu.libraries import HAS_NUMBA
from benchmarks.gpu.parts import ROOT, Options
from dying_relu.configuration import IMAGE_SETS
from dying_relu.configuration.load import load as load_configuration
from dying_relu.data import Dataset, load
from dying_relu.plan import study
from dying_relu.plan.shard import Shard
from dying_relu.results import store
from dying_relu.stack import execution
from dying_relu.training import device as devices
from dying_relu.training.shard_job import train

CLOSE = 0.1
"""Largest mean difference of training accuracies on the two devices: after hundreds of steps rounding is amplified."""


def run(options: Options) -> int:
    """Train the shards.

    Args:
        options: the device; a short run trains one shard.

    Returns:
        0; what differs is raised as an error.
    """
    device = devices.choose(options.device)
    shards = study.plan(load_configuration(ROOT / "config" / "smoke.yaml")).shards
    shards = shards[:1] if options.short else shards
    with tempfile.TemporaryDirectory() as folder:
        for captured in (False, True) if device.type == "cuda" else (False,):
            started = time.monotonic()
            with _by_operators(device), execution.chosen(captures_steps=captured):
                tables = [_trained(shard, device, Path(folder) / f"{captured}") for shard in shards]
            runs = sum(map(len, tables))
            seconds = time.monotonic() - started
            print(
                f"{runs} networks in {len(shards)} shards on {device} in {seconds:.1f} s, captured: {captured}",
                flush=True,
            )
            # Without numba, by the operators that the device has, too.
            with execution.chosen(operators_on_cpu=not HAS_NUMBA):
                on_cpu = _trained(shards[0], torch.device("cpu"), Path(folder) / f"cpu-{captured}")
            _compare(on_cpu, tables[0])
    return 0


@contextmanager
def _by_operators(device: torch.device) -> Iterator[None]:
    """On the CPU, too, what a GPU would do."""
    with execution.chosen(operators_on_cpu=device.type == "cpu"):
        yield


def _trained(shard: Shard, device: torch.device, folder: Path) -> pd.DataFrame:
    data = _data(shard, device)
    train(replace(shard, device=device.type), data, folder / shard.name)
    return store.read("runs", folder / shard.name / "runs.parquet")


def _data(shard: Shard, device: torch.device) -> Dataset:
    """The shard's data set, or made-up images of its shape: a prototype for each class, and noise."""
    size, name = shard.dataset, shard.dataset.name
    file = ROOT / "data" / f"{name}.safetensors"
    if file.exists():
        return load(file, size.train, size.test, device)
    print(f"no {file.name}: made-up images", file=sys.stderr)
    images, stream = IMAGE_SETS[name], torch.Generator().manual_seed(0)
    shape = (images.channels, images.side, images.side)
    count = (size.train or images.train) + (size.test or images.test)
    labels = torch.randint(images.classes, (count,), generator=stream)
    prototypes = torch.randn(images.classes, *shape, generator=stream)
    pixels = (prototypes[labels] + torch.randn(count, *shape, generator=stream)).to(device)
    labels, first = labels.to(device), size.train or images.train
    return Dataset(
        name=name,
        train_images=pixels[:first],
        train_labels=labels[:first],
        test_images=pixels[first:],
        test_labels=labels[first:],
        mean=torch.zeros(images.channels, device=device),
        std=torch.ones(images.channels, device=device),
        classes=images.classes,
        checksum="made up",
    )


def _compare(on_cpu: pd.DataFrame, on_device: pd.DataFrame) -> None:
    """Both have the same runs, as many diverged, and about the same accuracy."""
    assert (on_cpu["run"] == on_device["run"]).all(), "the same runs in the same order"
    finite = ~on_cpu["overflowed"] & ~on_device["overflowed"]
    difference = (on_cpu["train_accuracy"] - on_device["train_accuracy"])[finite].abs().mean()
    print(
        f"first shard: {finite.sum()} of {len(on_cpu)} finite on both; accuracies differ by {difference:.4f} (mean)"
    )
    assert (on_cpu["overflowed"] == on_device["overflowed"]).mean() > 1 - CLOSE, (
        "networks diverge on one device only"
    )
    assert difference < CLOSE, "networks on the device learn something else than on the CPU"
