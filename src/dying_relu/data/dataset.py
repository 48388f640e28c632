"""A cached data set, and how training gets it as float tensors."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dying_relu.errors import DyingReluError

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@dataclass(frozen=True)
class Dataset:
    """Images and labels on a device.

    Attributes:
        train_images, test_images: (N, C, H, W) float32, each channel normalised with the mean and the standard deviation of
            the whole training split.
        train_labels, test_labels: (N,) int64.
        mean, std: (C,) of the whole training split, for pixels in [0, 1].
        classes: number of classes.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    mean: Tensor
    std: Tensor
    classes: int


def load(
    path: Path, train: int | None = None, test: int | None = None, device: torch.device | str = "cpu"
) -> Dataset:
    """The first ``train`` and ``test`` examples (None: all) of the data set cached at ``path``.

    The file is mapped into memory, so that only the examples asked for are read.

    Raises:
        DyingReluError: the file is missing or is not what :func:`~dying_relu.data.fetch` writes.
    """
    if not path.is_file():
        raise DyingReluError(f"no data set at {path}", remedy="run `dying-relu data NAME --out FILE` first")
    try:
        with safe_open(path, framework="pt") as file:
            said = file.metadata() or {}
            arrays = {
                name: file.get_slice(name)[: train if name.startswith("train") else test] for name in ARRAYS
            }
        mean = torch.tensor([float(value) for value in said["mean"].split()])
        std = torch.tensor([float(value) for value in said["std"].split()])
        name, classes = said["name"], int(said["classes"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise DyingReluError(
            f"{path} is not a cached data set",
            found=str(error),
            remedy="delete it; it is made again when needed",
        ) from error

    def images(split: str) -> Tensor:
        pixels = arrays[f"{split}_images"].to(device).float().div_(255)
        shape = (1, -1, 1, 1)
        return pixels.sub_(mean.to(device).view(shape)).div_(std.to(device).view(shape))

    return Dataset(
        name=name,
        train_images=images("train"),
        train_labels=arrays["train_labels"].to(device).long(),
        test_images=images("test"),
        test_labels=arrays["test_labels"].to(device).long(),
        mean=mean,
        std=std,
        classes=classes,
    )
