"""An architecture is counted as it is built, and has a kind."""

from typing import Literal

import pytest
import torch
from stack.test_equality import CPU, runs

from dying_relu.configuration import CNN, IMAGE_SETS, MLP, Architecture, Layers, architecture
from dying_relu.configuration.architectures import ARCHITECTURES
from dying_relu.errors import DyingReluError
from dying_relu.results.code_digest import import_closure
from dying_relu.stack.convolution import Convolution
from dying_relu.training.models import as_inputs, build


@pytest.mark.parametrize("dataset", ["mnist", "cifar100"])
@pytest.mark.parametrize(
    "shape",
    [
        MLP(kind="mlp", widths=[7]),
        MLP(kind="mlp", widths=[9, 8]),
        CNN(kind="cnn", channels=[3, 4], widths=[5]),
        CNN(kind="cnn", channels=[3, 4, 5, 6]),
    ],
    ids=str,
)
def test_what_is_counted_is_what_is_built(shape: Architecture, dataset: str) -> None:
    images = IMAGE_SETS[dataset]
    size = shape.size(images)
    image = torch.Size((images.channels, images.side, images.side))
    chosen = runs("relu", "sgd")
    network = build(shape, chosen, image, images.classes, seed=0, device=CPU)
    built = sum(parameter.value[0].numel() for parameter in network.parameters())
    assert size.parameters == built
    assert size.units == sum(hidden.affine.bias.value.shape[1] for hidden in network.hidden)
    assert size.layers == shape.hidden_layers == len(network.hidden)
    assert size.convolutions == sum(isinstance(hidden.affine, Convolution) for hidden in network.hidden)
    examples = as_inputs(shape, torch.rand(2, *image))
    traced = {hidden.name: z[0] for hidden, z in network.trace(examples) if hidden}
    assert size.activations == sum(z.numel() for z in traced.values()) // 2


def test_an_architecture_without_a_kind_is_refused() -> None:
    before = dict(ARCHITECTURES)
    with pytest.raises(DyingReluError, match="the architecture Kindless has no kind: expected kind: Literal"):

        @architecture
        class Kindless(Architecture):
            def build(self, layers: Layers) -> None: ...

    with pytest.raises(DyingReluError, match="two entries for the architecture 'mlp'"):

        @architecture
        class Second(Architecture):
            kind: Literal["mlp"]

            def build(self, layers: Layers) -> None: ...

    assert before == ARCHITECTURES


def test_the_job_of_a_shard_depends_on_the_code_that_says_its_layers_but_not_on_that_of_messages() -> None:
    closure = import_closure("dying_relu.training.shard_job")
    assert "dying_relu.configuration.architectures" in closure
    assert "dying_relu.configuration.optimisers" in closure
    assert "dying_relu.configuration.model" not in closure
