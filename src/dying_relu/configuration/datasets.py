"""Data sets: what is known of each before it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dying_relu.extensions import Registry

if TYPE_CHECKING:
    from dying_relu.data.decode import Arrays


class ImageSet(NamedTuple):
    """Square images in classes, in a training and a test split.

    Attributes:
        channels: 1 for grey, 3 for colours.
        side: pixels of an image's height and width.
        classes: number of classes.
        train, test: number of examples of each split.
        read: gets the images where ``data.sources`` do not have them: takes the folder ``data.root`` (None if the study names none) and an
            empty folder for downloads.
        label: its name in figures and tables; None: the name that studies give it.
    """

    channels: int
    side: int
    classes: int
    train: int
    test: int
    read: Callable[[Path | None, Path], Arrays] | None = None
    label: str | None = None


IMAGE_SETS = Registry[ImageSet]("data set")
"""By the name that studies give them."""

IMAGE_SETS.add("mnist", ImageSet(channels=1, side=28, classes=10, train=60_000, test=10_000, label="MNIST"))
IMAGE_SETS.add(
    "fashion_mnist",
    ImageSet(channels=1, side=28, classes=10, train=60_000, test=10_000, label="Fashion-MNIST"),
)
IMAGE_SETS.add(
    "cifar10", ImageSet(channels=3, side=32, classes=10, train=50_000, test=10_000, label="CIFAR-10")
)
IMAGE_SETS.add(
    "cifar100", ImageSet(channels=3, side=32, classes=100, train=50_000, test=10_000, label="CIFAR-100")
)
