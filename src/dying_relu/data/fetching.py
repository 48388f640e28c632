"""Get a data set from the first source that has it, check it, and cache it."""

import logging
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from dying_relu.configuration import IMAGE_SETS, DataSource
from dying_relu.data.checksums import verify
from dying_relu.data.dataset import ARRAYS
from dying_relu.data.sources import SOURCES, Arrays
from dying_relu.errors import DyingReluError
from dying_relu.results import atomic_path

log = logging.getLogger(__name__)


def fetch(name: str, settings: DataSource, out: Path) -> None:
    """Write the data set ``name`` to the file ``out``, which :func:`~dying_relu.data.load` reads.

    Args:
        name: mnist, fashion_mnist, cifar10 or cifar100.
        settings: the sources to try, in their order.
        out: one safetensors file with uint8 pixels (N, C, H, W) and labels; it appears when all is checked.

    Raises:
        DyingReluError: the name is unknown, or every source failed; the message says what was tried and why it failed.
    """
    if name not in IMAGE_SETS:
        raise DyingReluError("unknown data set", found=repr(name), expected=f"one of {', '.join(IMAGE_SETS)}")
    failures = []
    for source in settings.sources:
        try:
            arrays = SOURCES[source](name, Path(settings.root) if settings.root else None)
            sums = verify(name, arrays)
            _check_shapes(name, arrays)
        except DyingReluError as failure:
            log.info("%s: %s", source, failure)
            failures.append(f"\n  {source}: {failure}")
        else:
            _save(name, arrays, {"source": source, **sums}, out)
            return
    raise DyingReluError(
        f"cannot get {name}; tried{''.join(failures)}\n"
        "put the files in a folder in torchvision's layout and name it as data.root, or connect to the internet"
    )


def _check_shapes(name: str, arrays: Arrays) -> None:
    known = IMAGE_SETS[name]
    image = (known.side, known.side) if known.channels == 1 else (known.side, known.side, known.channels)
    for split, count in (("train", known.train), ("test", known.test)):
        shapes = arrays[f"{split}_images"].shape, arrays[f"{split}_labels"].shape
        if shapes != ((count, *image), (count,)):
            raise DyingReluError(
                f"{split} split of {name} has the wrong shape",
                found=str(shapes),
                expected=str((count, *image)),
            )


def _save(name: str, arrays: Arrays, origin: dict[str, str], out: Path) -> None:
    tensors = {
        key: torch.tensor(np.ascontiguousarray(_channels_first(array)))
        for key, array in zip(ARRAYS, (arrays[key] for key in ARRAYS), strict=True)
    }
    pixels = tensors["train_images"].double().div_(255)
    statistics = {"mean": pixels.mean((0, 2, 3)), "std": pixels.std((0, 2, 3), correction=0)}
    metadata = {
        "name": name,
        "classes": str(IMAGE_SETS[name].classes),
        **{key: " ".join(repr(value) for value in values.tolist()) for key, values in statistics.items()},
        **origin,
    }
    with atomic_path(out) as beside:
        save_file(tensors, beside, metadata)


def _channels_first(array: np.ndarray) -> np.ndarray:
    """Images (N, H, W) or (N, H, W, C) -> (N, C, H, W); labels stay."""
    match array.ndim:
        case 3:
            return array[:, None]
        case 4:
            return array.transpose(0, 3, 1, 2)
        case _:
            return array
