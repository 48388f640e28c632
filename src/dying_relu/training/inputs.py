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
    """The inputs of a shard, made when they are asked for; the last ones are remembered, since runs are sorted by their inputs.

    Args:
        data: with standardised images.
        changes: name -> changes of the images, one after the other.
    """

    def __init__(self, data: Dataset, changes: Mapping[str, tuple[Inputs, ...]]) -> None:
        self.data, self.changes = data, changes
        self._last: tuple[str, Dataset] | None = None

    def __getitem__(self, name: str) -> Dataset:
        if self._last is None or self._last[0] != name:
            # Not the old ones and the new ones at a time.
            self._last = None
            self._last = name, changed(self.data, self.changes[name])
        return self._last[1]
