"""What the decoded arrays must be, whatever source they came from.

MNIST's sums are those of its four raw IDX files, header included; CIFAR-10's are those of the uint8 arrays
N x 32 x 32 x 3 in C order, and of the labels as uint8. Fashion-MNIST and CIFAR-100 have no sums here: torchvision checks
what it downloads, and CIFAR-100 also where it reads it; files of Fashion-MNIST that a person put there are checked for
shape and range only.
"""

import hashlib
import struct

import numpy as np

from dying_relu.configuration import IMAGE_SETS
from dying_relu.data.decode import IDX_UNSIGNED_BYTES, Arrays
from dying_relu.errors import DyingReluError

SHA256 = {
    "mnist": {
        "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "cifar10": {
        "train_images": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
        "train_labels": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
        "test_images": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
        "test_labels": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    },
}


def verify(name: str, arrays: Arrays) -> None:
    """Check that ``arrays`` are the data set ``name``.

    Raises:
        DyingReluError: an array has the wrong shape, a label is out of range, or a sum is not the known one.
    """
    known = IMAGE_SETS[name]
    pixels = (known.side, known.side) + ((known.channels,) if known.channels > 1 else ())
    shapes = [(known.train, *pixels), (known.train,), (known.test, *pixels), (known.test,)]
    for (part, array), shape in zip(arrays._asdict().items(), shapes, strict=True):
        if array.shape != shape or array.dtype != np.uint8:
            raise DyingReluError(
                f"{part} of {name} has the wrong shape or type",
                found=f"{array.shape} {array.dtype}",
                expected=f"{shape} uint8",
            )
        if part.endswith("labels") and array.max() >= known.classes:
            raise DyingReluError(
                f"{part} of {name} has a class out of range",
                found=str(array.max()),
                expected=f"0 to {known.classes - 1}",
            )
    found = sums(name, arrays)
    for part, expected in SHA256.get(name, {}).items():
        if found[part] != expected:
            raise DyingReluError(
                f"{part} of {name} is not the original", found=f"SHA-256 {found[part]}", expected=expected
            )


def sums(name: str, arrays: Arrays) -> dict[str, str]:
    """The SHA-256 sum of each of ``arrays``, by its name."""
    return {part: sha256(name, array) for part, array in arrays._asdict().items()}


def sha256(name: str, array: np.ndarray) -> str:
    """The sum of a uint8 array of the data set ``name``, as the table above means it."""
    digest = hashlib.sha256()
    if name == "mnist":
        digest.update(IDX_UNSIGNED_BYTES + struct.pack(f">B{array.ndim}I", array.ndim, *array.shape))
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
