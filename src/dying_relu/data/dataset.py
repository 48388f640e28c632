"""A data set as one memory-mapped file, and how a job gets float tensors from it.

The file is in the safetensors format: ``train_images`` and ``test_images`` (N, C, H, W) and ``train_labels`` and
``test_labels`` (N,), all uint8. Its metadata are ``name``, ``mean`` and ``std`` (one number a channel, of the whole training
split, for pixels in [0, 1]), ``source``, the SHA-256 sum of each array as it was published, and ``sha256``, the sum of all
this, which every job checks before it uses the file.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised
from torch import Tensor

from dying_relu.configuration import IMAGE_SETS
from dying_relu.data import known_checksums
from dying_relu.data.decode import Arrays
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path

CHUNK = 2**20
"""Bytes of a file that are read at once to sum them up."""


@dataclass(frozen=True)
class Dataset:
    """Images and labels on a device.

    Attributes:
        train_images, test_images: (N, C, H, W) float32; each channel is normalised with ``mean`` and ``std``.
        train_labels, test_labels: (N,) int64.
        mean, std: (C,) float32, what was taken out of the pixels (in [0, 1]): those of the *whole* training split, however much of it
            is used; 0 and 1 for raw pixels.
        classes: number of classes.
        checksum: SHA-256 of the arrays as they were published, wherever they came from; of all examples, however many are used.
    """

    name: str
    train_images: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    mean: Tensor
    std: Tensor
    classes: int
    checksum: str


def load(
    path: Path,
    train: int | None = None,
    test: int | None = None,
    device: torch.device | str = "cpu",
    pixels: str = "standardised",
) -> Dataset:
    """The first ``train`` and ``test`` examples (None: all) of the data set in the file ``path``, on ``device``.

    The file is mapped into memory, so only the examples asked for are kept there. ``pixels``: ``standardised``, or ``raw``, numbers in
    [0, 1] as they are.

    Raises:
        DyingReluError: the file is missing, is not what :func:`save` wrote, or has fewer examples.
    """
    if not path.is_file():
        raise DyingReluError(f"no data set at {path}", remedy="`dying-relu data NAME --out FILE` makes one")
    try:
        said, arrays = _read(path, train, test)
        mean, std = (
            torch.tensor([float(value) for value in said[statistic].split()], device=device)
            for statistic in ("mean", "std")
        )
        checksum = _published(said)
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise DyingReluError(
            f"{path} is not a data set's file, or damaged",
            found=str(error),
            remedy="delete it; the next run makes it again",
        ) from error
    name = said["name"]
    _require(name, "train", train, len(arrays["train_labels"]))
    _require(name, "test", test, len(arrays["test_labels"]))
    if pixels == "raw":
        mean, std = torch.zeros_like(mean), torch.ones_like(std)
    arrays = {part: values.to(device) for part, values in arrays.items()}
    return Dataset(
        name=name,
        train_images=_normalised(arrays["train_images"], mean, std),
        train_labels=arrays["train_labels"].long(),
        test_images=_normalised(arrays["test_images"], mean, std),
        test_labels=arrays["test_labels"].long(),
        mean=mean,
        std=std,
        classes=IMAGE_SETS[name].classes,
        checksum=checksum,
    )


def _read(path: Path, train: int | None, test: int | None) -> tuple[dict[str, str], dict[str, Tensor]]:
    """What the file says of its data set, and the first examples of its arrays."""
    with safe_open(path, framework="pt") as file:
        said = file.metadata() or {}
        slices = {part: file.get_slice(part) for part in Arrays._fields}
        _check_shapes(said["name"], {part: tuple(there.get_shape()) for part, there in slices.items()})
        _check_sum(path, said)
        return said, {
            part: there[: train if part.startswith("train") else test] for part, there in slices.items()
        }


def _require(name: str, split: str, wanted: int | None, there: int) -> None:
    if wanted is not None and wanted != there:
        raise DyingReluError(
            f"{name} has too few {split} examples", found=f"{there:,}", expected=f"{wanted:,}"
        )


def save(name: str, arrays: Arrays, source: str, path: Path) -> None:
    """Write the data set ``name``, which came from ``source``, to the file ``path``, atomically."""
    tensors = {
        part: torch.tensor(_channels_first(array)).contiguous() for part, array in arrays._asdict().items()
    }
    mean, std = _statistics(tensors["train_images"])
    metadata = {"name": name, "mean": _written(mean), "std": _written(std), "source": source}
    metadata |= known_checksums.sums(name, arrays)
    content = serialised(tensors)
    metadata["sha256"] = _sum(memoryview(content)[_start(content[:8]) :], metadata)
    del content
    with atomic_path(path) as beside:
        # Not save_file: it makes a file that only its owner may read.
        beside.write_bytes(serialised(tensors, metadata))


def _check_shapes(name: str, shapes: dict[str, tuple[int, ...]]) -> None:
    known = IMAGE_SETS[name]
    image = (known.channels, known.side, known.side)
    expected = [(known.train, *image), (known.train,), (known.test, *image), (known.test,)]
    if list(shapes.values()) != expected:
        raise ValueError(f"arrays of the shapes {list(shapes.values())}")


def _check_sum(path: Path, said: dict[str, str]) -> None:
    """Raise an error unless the content of the file is what was written; ``said`` are its metadata."""
    with path.open("rb") as file:
        file.seek(_start(file.read(8)))
        found = _sum(file, said)
    if found != said["sha256"]:
        raise ValueError(f"SHA-256 {found} where {said['sha256']} was written")


def _published(said: dict[str, str]) -> str:
    """One sum of the sums of the four arrays."""
    return hashlib.sha256(" ".join(said[part] for part in Arrays._fields).encode()).hexdigest()


def _start(first_bytes: bytes) -> int:
    """Where the arrays begin in a safetensors file, by its first eight bytes."""
    return 8 + int.from_bytes(first_bytes, "little")


def _sum(arrays: BinaryIO | memoryview, metadata: dict[str, str]) -> str:
    """The SHA-256 sum of the arrays' bytes, and of what is said about them."""
    said = {key: value for key, value in metadata.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    if isinstance(arrays, memoryview):
        digest.update(arrays)
    else:
        while chunk := arrays.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _normalised(pixels: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """(N, C, H, W) uint8 -> float32 with the given mean and standard deviation (C,) of pixels in [0, 1] taken out."""
    scale = (255 * std).reciprocal().view(-1, 1, 1)
    return pixels.float().mul_(scale).sub_((mean / std).view(-1, 1, 1))


def _statistics(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (float64) of each channel of (N, C, H, W) uint8 pixels, taken as numbers in [0, 1].

    From counts of the 256 values, so that 50,000 images need no floating-point copy.
    """
    values = torch.arange(256, dtype=torch.float64) / 255
    shares = torch.stack(
        [torch.bincount(channel.flatten(), minlength=256) for channel in pixels.unbind(1)]
    ).double()
    shares /= shares.sum(1, keepdim=True)
    mean = shares @ values
    std = ((values - mean[:, None]).square() * shares).sum(1).sqrt()
    return mean, std


def _written(values: Tensor) -> str:
    return " ".join(repr(value) for value in values.tolist())


def _channels_first(array: np.ndarray) -> np.ndarray:
    """Images (N, H, W) or (N, H, W, C) -> (N, C, H, W); labels stay as they are."""
    match array.ndim:
        case 3:
            return array[:, None]
        case 4:
            return array.transpose(0, 3, 1, 2)
        case _:
            return array
