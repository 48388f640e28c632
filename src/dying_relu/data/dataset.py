"""A data set as one memory-mapped file, and how a job gets float tensors from it.

The file is in the safetensors format: ``train_images`` and ``test_images`` (N, C, H, W) and ``train_labels`` and
``test_labels`` (N,), all uint8. Its metadata are ``name``, ``mean`` and ``std`` (one number a channel, of the whole training
split, for pixels in [0, 1]), ``source``, and the SHA-256 sum of each array as it was published. The sum of the file stands beside
it, as that of every file of a study, and every job checks it before it uses the file.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised
from torch import Tensor

from dying_relu.configuration import IMAGE_SETS
from dying_relu.data.decode import Arrays
from dying_relu.data.originals import sums
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums
from dying_relu.files.atomic import atomic_path


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
    """Load the first examples of the data set in the file ``path``, which is mapped into memory: only those are kept there.

    Args:
        path: written by :func:`save`.
        train: number of training examples; None for all.
        test: number of held-out examples; None for all.
        device: where the tensors go.
        pixels: ``standardised``, or ``raw``, numbers in [0, 1] as they are.

    Raises:
        DyingReluError: the file is missing, is not what :func:`save` wrote, or has fewer examples.
    """
    if not path.is_file():
        raise DyingReluError(f"no data set at {path}", remedy="`dying-relu data NAME --out FILE` makes one")
    checksums.check(path)
    try:
        metadata, arrays = _read(path, train, test)
        name = metadata["name"]
        classes = IMAGE_SETS[name].classes
        mean, std = (
            torch.tensor([float(value) for value in metadata[statistic].split()], device=device)
            for statistic in ("mean", "std")
        )
        checksum = _published(metadata)
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise DyingReluError(
            f"{path} is not a data set's file",
            found=str(error),
            remedy="delete it; the next run makes it again",
        ) from error
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
        classes=classes,
        checksum=checksum,
    )


def _read(path: Path, train: int | None, test: int | None) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Read the file's metadata, and the first examples of its arrays."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        slices = {part: file.get_slice(part) for part in Arrays._fields}
        _check_shapes(metadata["name"], {part: tuple(array.get_shape()) for part, array in slices.items()})
        return metadata, {
            part: array[: train if part.startswith("train") else test] for part, array in slices.items()
        }


def _require(name: str, split: str, wanted: int | None, available: int) -> None:
    if wanted is not None and wanted != available:
        raise DyingReluError(
            f"{name} has too few {split} examples", found=f"{available:,}", expected=f"{wanted:,}"
        )


def save(name: str, arrays: Arrays, source: str, path: Path) -> None:
    """Write a data set to a file, atomically, and then the file's sum beside it.

    Args:
        name: of the data set.
        arrays: as they were published.
        source: where they came from.
        path: of the file.
    """
    tensors = {
        part: torch.tensor(_channels_first(array)).contiguous() for part, array in arrays._asdict().items()
    }
    mean, std = _statistics(tensors["train_images"])
    metadata = {"name": name, "mean": _as_text(mean), "std": _as_text(std), "source": source}
    with atomic_path(path) as scratch:
        # Not save_file: it makes a file that only its owner may read.
        scratch.write_bytes(serialised(tensors, metadata | sums(name, arrays)))
    checksums.write_beside(path)


def _check_shapes(name: str, shapes: dict[str, tuple[int, ...]]) -> None:
    known = IMAGE_SETS[name]
    image = (known.channels, known.side, known.side)
    expected = [(known.train, *image), (known.train,), (known.test, *image), (known.test,)]
    if list(shapes.values()) != expected:
        raise ValueError(f"arrays of the shapes {list(shapes.values())}")


def _published(metadata: dict[str, str]) -> str:
    """One sum of the sums of the four arrays."""
    return hashlib.sha256(" ".join(metadata[part] for part in Arrays._fields).encode()).hexdigest()


def _normalised(pixels: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Normalise (N, C, H, W) uint8 to float32 by the given mean and standard deviation (C,) of pixels in [0, 1]."""
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


def _as_text(values: Tensor) -> str:
    return " ".join(repr(value) for value in values.tolist())


def _channels_first(array: np.ndarray) -> np.ndarray:
    """Turn images (N, H, W) or (N, H, W, C) into (N, C, H, W); labels stay as they are."""
    match array.ndim:
        case 3:
            return array[:, None]
        case 4:
            return array.transpose(0, 3, 1, 2)
        case _:
            return array
