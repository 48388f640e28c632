"""The moments of a layer's inputs against brute force in float64, over patches where it is a convolution."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from dying_relu.stack.convolution import Convolution
from dying_relu.stack.layers import Linear
from dying_relu.training.offset import InputMoments

K, N, C, SIDE, UNITS = 3, 21, 2, 6, 5


def linear(x: Tensor) -> Linear:
    inputs = x.shape[1]
    layer = Linear(torch.randn(K, UNITS, inputs), torch.zeros(K, UNITS))
    layer.forward(x)
    return layer


def convolution(x: Tensor) -> Convolution:
    layer = Convolution(torch.randn(K, UNITS, C, 3, 3), torch.zeros(K, UNITS))
    layer.forward(x)
    return layer


def by_hand(inputs: Tensor) -> tuple[float, float, float]:
    """Offset share and norms of (vectors, inputs)."""
    mean = inputs.double().mean(0)
    share = mean.square().sum() / inputs.double().square().sum(1).mean()
    return share.item(), mean.norm().item(), mean.abs().sum().item()


def measured(moments: InputMoments, k: int) -> tuple[float, float, float]:
    mean = moments.mean[k]
    return moments.offset_share[k].item(), mean.norm().item(), mean.abs().sum().item()


def patches(images: Tensor) -> Tensor:
    """(N, C, H, W) -> every 3 x 3 patch of it, zeros beyond the border."""
    return functional.unfold(images.double(), 3, padding=1).movedim(1, 2).flatten(0, 1)


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def test_vectors_that_all_networks_share() -> None:
    x = torch.randn(N, 7) + 0.5
    moments = InputMoments.of(linear(x))
    assert measured(moments, 0) == pytest.approx(by_hand(x))


@pytest.mark.parametrize("in_memory", ["example by example", "input by input"])
def test_vectors_of_each_network(in_memory: str) -> None:
    x = torch.randn(K, 7, N) + torch.arange(K)[:, None, None]
    x = x if in_memory == "input by input" else x.mT.contiguous().mT
    moments = InputMoments.of(linear(x))
    for k in range(K):
        assert measured(moments, k) == pytest.approx(by_hand(x[k].T))


def test_patches_of_images_that_all_networks_share() -> None:
    images = torch.randn(N, C, SIDE, SIDE) + 0.3
    moments = InputMoments.of(convolution(images.permute(0, 2, 3, 1).contiguous()))
    assert measured(moments, 0) == pytest.approx(by_hand(patches(images)))


def test_patches_of_each_networks_images() -> None:
    images = torch.randn(K, N, C, SIDE, SIDE) + torch.arange(K)[:, None, None, None, None]
    side_by_side = images.permute(1, 3, 4, 0, 2).contiguous().permute(3, 0, 4, 1, 2)
    moments = InputMoments.of(convolution(side_by_side))
    for k in range(K):
        assert measured(moments, k) == pytest.approx(by_hand(patches(images[k])))


def test_batches_together_are_the_whole() -> None:
    x = torch.randn(N, 7) + 0.5
    first, second = (InputMoments.of(linear(part)) for part in (x[:8], x[8:]))
    assert measured(first.merge(second), 0) == pytest.approx(by_hand(x))


def test_a_constant_input_is_all_offset_and_none_at_all_has_no_share() -> None:
    assert InputMoments.of(linear(torch.full((N, 7), 0.1))).offset_share.item() == 1.0
    assert InputMoments.of(linear(torch.zeros(N, 7))).offset_share.isnan().all()
