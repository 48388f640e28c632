import hashlib

import numpy as np
import pytest
from invented_images import idx, invented

from dying_relu.configuration import IMAGE_SETS
from dying_relu.data.decode import Arrays
from dying_relu.data.originals import ORIGINALS, sha256, sums, verify
from dying_relu.errors import DyingReluError


@pytest.mark.parametrize("shape", [(4,), (2, 28, 28)])
def test_the_sum_of_mnist_is_that_of_its_file(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).integers(0, 10, shape, np.uint8)
    assert sha256("mnist", array) == hashlib.sha256(idx(array)).hexdigest()


def test_the_sum_of_cifar10_is_that_of_the_bytes_in_c_order() -> None:
    channels_first = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32), np.uint8)
    images = channels_first.transpose(0, 2, 3, 1)
    assert sha256("cifar10", images) == hashlib.sha256(images.tobytes()).hexdigest()


def test_every_data_set_is_published_somewhere() -> None:
    assert set(ORIGINALS) == {"mnist", "fashion_mnist", "cifar10", "cifar100"}
    assert all(IMAGE_SETS[name].read is None for name in ORIGINALS)


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_other_pixels_are_an_error(name: str) -> None:
    expected = (ORIGINALS[name].sha256 or [])[0]
    with pytest.raises(
        DyingReluError,
        match=f"train_images of {name} is not the original: found SHA-256 .* expected {expected}",
    ):
        verify(name, invented(name))


def test_a_data_set_without_known_sums_passes_if_its_shapes_and_labels_do(fashion: Arrays) -> None:
    verify("fashion_mnist", fashion)
    assert set(sums("fashion_mnist", fashion)) == set(Arrays._fields)


def test_another_shape_is_an_error(fashion: Arrays) -> None:
    short = fashion._replace(test_images=fashion.test_images[:-1])
    with pytest.raises(
        DyingReluError, match=r"test_images .* found \(9999, 28, 28\).* expected \(10000, 28, 28\)"
    ):
        verify("fashion_mnist", short)


def test_a_class_out_of_range_is_an_error(fashion: Arrays) -> None:
    strange = fashion._replace(test_labels=np.full(10_000, 10, np.uint8))
    with pytest.raises(DyingReluError, match=r"test_labels .* found 10; expected 0 to 9"):
        verify("fashion_mnist", strange)
