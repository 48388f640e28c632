"""The inputs of a shard's networks: the images of its data set, changed as the study says."""

from collections.abc import Mapping
from dataclasses import replace

from dying_relu.configuration import Images, Inputs
from dying_relu.data import Dataset


def changed(data: Dataset, changes: tuple[Inputs, ...]) -> Dataset:
    """Change the images of a data set, which stays as it is.

    Args:
        data: with standardised images.
        changes: one after the other.
    """
    images = Images(data.train_images, data.test_images, data.train_images, data.mean, data.std)
    for change in changes:
        images = change.changed(images)
    return replace(data, train_images=images.train, test_images=images.test)


class InputsByName:
    """The inputs of a shard, each made when it is first asked for, and remembered.

    Args:
        data: with standardised images.
        changes: name -> changes of the images, one after the other.
    """

    def __init__(self, data: Dataset, changes: Mapping[str, tuple[Inputs, ...]]) -> None:
        self.data, self.changes = data, changes
        self._made: dict[str, Dataset] = {}

    def __getitem__(self, name: str) -> Dataset:
        if name not in self._made:
            self._made[name] = changed(self.data, self.changes[name])
        return self._made[name]
