"""The file of a data set where the project keeps it, fetched when it is first asked for."""

import os
from pathlib import Path

from dying_relu.configuration import data_source
from dying_relu.data.fetch import fetch
from dying_relu.files.project import project_folder

VARIABLE = "DYING_RELU_DATA"
"""Environment variable that names another folder than ``data`` in the project."""


def cached(name: str) -> Path:
    """Name the file of a data set; fetch it first unless it is there.

    Args:
        name: of a registered data set, such as "mnist".

    Raises:
        DyingReluError: the name is unknown, or every source failed.
    """
    folder = Path(os.environ.get(VARIABLE) or project_folder() / "data")
    path = folder / f"{name}.safetensors"
    if not path.exists():
        fetch(name, data_source(), path)
    return path
