"""Every tensor is made where the examples are: on a device without data, where an operand from elsewhere is an error."""

import pytest
import torch
from stack.test_equality import ARCHITECTURES, NORMALISED, OPTIMISERS, REMEDIES, runs

from dying_relu.data import Dataset
from dying_relu.measuring import measure, pre_activation_quantiles
from dying_relu.trainer import Trainer

META = torch.device("meta")
# PyTorch has no fused Adam for a device without data.
WITHOUT_ADAM = {name: each for name, each in (OPTIMISERS | REMEDIES).items() if each.kind == "sgd"}


def examples() -> Dataset:
    images, labels = torch.zeros(64, 3, 12, 12, device=META), torch.zeros(64, dtype=torch.int64, device=META)
    none = torch.zeros(3, device=META)
    return Dataset("cifar10", images, labels, images, labels, none, none, classes=10, checksum="invented")


@pytest.mark.parametrize("optimiser", WITHOUT_ADAM)
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, *NORMALISED])
def test_training_and_measuring_stay_on_the_device(architecture: str, optimiser: str) -> None:
    shape, data = (ARCHITECTURES | NORMALISED)[architecture], examples()
    trainer = Trainer(shape, WITHOUT_ADAM[optimiser], runs("relu", optimiser), data, batch_size=16, seed=0)
    for _ in range(2):
        assert trainer.step().device == META
    assert {parameter.value.device for parameter in trainer.network.parameters()} == {META}
    with trainer.network.evaluation():
        measured = measure(trainer.network, trainer.examples, trainer.labels)
        quantiles = pre_activation_quantiles(trainer.network, trainer.examples)
    assert measured.loss.device == META
    assert {values.device for layer in quantiles.values() for values in layer.values()} == {META}
