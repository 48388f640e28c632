"""What the decoded arrays must be, whatever source they came from.

MNIST's sums are those of its four raw IDX files, header included; CIFAR-10's are those of the uint8 arrays N x 32 x 32 x 3 in
C order. No sums are given for Fashion-MNIST and CIFAR-100: there torchvision's own checks of the downloads stand.
"""

import hashlib
import struct

import numpy as np

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


def sha256(name: str, array: np.ndarray) -> str:
    """The sum of ``array`` (N x H x W, N x H x W x C, or N labels, uint8) as the table above means it for ``name``."""
    header = b""
    if name == "mnist":
        header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def verify(name: str, arrays: dict[str, np.ndarray]) -> dict[str, str]:
    """The sums of ``arrays``.

    Raises:
        DyingReluError: a sum is not the one known for the data set ``name``.
    """
    sums = {split: sha256(name, array) for split, array in arrays.items()}
    for split, known in SHA256.get(name, {}).items():
        if sums[split] != known:
            raise DyingReluError(
                f"{split} of {name} is not the original", found=f"SHA-256 {sums[split]}", expected=known
            )
    return sums
