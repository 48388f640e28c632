"""The choice of a device, and every tensor made where the examples are: on a device without data, and on one without float64."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from apple_gpu import MPS, apple_gpu
from small_shard import shard_of
from stack.test_equality import ARCHITECTURES, NORMALISED, OPTIMISERS, REMEDIES, runs

from dying_relu.data import Dataset
from dying_relu.errors import DyingReluError
from dying_relu.plan.gpu import is_gpu
from dying_relu.results import store
from dying_relu.training.device import choose
from dying_relu.training.measurement import measure, pre_activation_quantiles
from dying_relu.training.shard_job import train
from dying_relu.training.trainer import Trainer

META = torch.device("meta")
ALL_OPTIMISERS = OPTIMISERS | REMEDIES


def examples() -> Dataset:
    images, labels = torch.zeros(64, 3, 12, 12, device=META), torch.zeros(64, dtype=torch.int64, device=META)
    none = torch.zeros(3, device=META)
    return Dataset("cifar10", images, labels, images, labels, none, none, classes=10, checksum="invented")


@pytest.mark.parametrize("has_gpu", [True, False])
def test_auto_is_the_cpu_as_long_as_nothing_has_run_on_a_gpu(
    has_gpu: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: has_gpu)
    assert choose("auto") == choose("cpu") == torch.device("cpu")
    assert not is_gpu("auto")


def test_a_gpu_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DyingReluError, match="PyTorch finds no cuda device here"):
        choose("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    switches = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    before = [switch.fp32_precision for switch in switches]
    try:
        assert choose("cuda") == torch.device("cuda")
        assert [switch.fp32_precision for switch in switches] == ["ieee", "ieee"]
    finally:
        for switch, setting in zip(switches, before, strict=True):
            switch.fp32_precision = setting
    assert is_gpu("cuda")


@pytest.mark.parametrize("optimiser", ALL_OPTIMISERS)
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, *NORMALISED])
def test_training_and_measuring_stay_on_the_device(architecture: str, optimiser: str) -> None:
    shape, data = (ARCHITECTURES | NORMALISED)[architecture], examples()
    trainer = Trainer(shape, ALL_OPTIMISERS[optimiser], runs("relu", optimiser), data, batch_size=16)
    for _ in range(2):
        assert trainer.step().device == META
    assert {parameter.value.device for parameter in trainer.network.parameters()} == {META}
    with trainer.network.evaluation():
        measured = measure(trainer.network, trainer.examples, trainer.labels, keep=True)
        quantiles = pre_activation_quantiles(trainer.network, measured.traced)
    assert measured.answers.loss.device == META
    assert {values.device for layer in quantiles.values() for values in layer.values()} == {META}


CASES = [
    ("mlp", "sgd_weight_decay"),
    ("mlp", "momentum_weight_decay"),
    ("mlp", "adam_clipped_decaying"),
    ("cnn", "sgd_warm_up"),
    ("cnn_layer_norm", "momentum_clipped"),
]


def on_apple_gpu(data: Dataset) -> Dataset:
    tensors = {name: each.to(MPS) for name, each in vars(data).items() if isinstance(each, torch.Tensor)}
    return replace(data, **tensors)


@pytest.mark.parametrize(("architecture", "optimiser"), CASES)
def test_a_shard_is_trained_and_measured_without_float64(
    architecture: str, optimiser: str, data: Dataset, tmp_path: Path
) -> None:
    settings = REMEDIES[optimiser].model_copy(update={"recycle_every": 2})
    shard = replace(
        shard_of(architecture=[architecture]), optimisers={"sgd": settings}, steps=3, checkpoints=(0, 2, 3)
    )
    train(shard, data, tmp_path / "cpu")
    with apple_gpu():
        train(shard, on_apple_gpu(data), tmp_path / "mps", save_every=0.0)
    for name in ("runs", "layers", "units"):
        on_cpu, on_mps = (
            store.read(name, tmp_path / device / f"{name}.parquet") for device in ("cpu", "mps")
        )
        # Means of pre-activations of about 10 that cancel have rounding errors of about 1e-6.
        pd.testing.assert_frame_equal(on_cpu, on_mps, rtol=1e-4, atol=1e-5)
