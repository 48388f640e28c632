"""Settings that every test shares."""

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from generated_paper import generate
from hypothesis import settings
from longest_first import longest_first
from small_shard import blurred_prototypes
from small_study import write_small_study

# Where tests run side by side, pytest's own process imports the modules that warnings come from; Lightning's need torchvision.
from dying_relu.adapters.torchvision_import import torchvision  # noqa: F401
from dying_relu.data import Dataset

# One thread: tests run side by side, and threads that wait for each other's cores slow all of them down.
torch.set_num_threads(1)

# The machine is shared; how long an example takes says nothing about the code.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put long files first where processes run side by side; a single one keeps to the order of the folders."""
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of garbage collections, each of which would walk all of it again."""
    gc.freeze()


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that the first of the processes which run side by side makes, for all of them.

    Args:
        factory: of this process.
        name: of the folder.
        make: writes into a folder that is not there yet.
    """
    # Each process has a folder of its own in that of the run.
    ours = factory.getbasetemp()
    whole = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    with FileLock(whole / f"{name}.lock"):
        if not (whole / name).exists():
            make(ours / name)
            (ours / name).rename(whole / name)
    return whole / name


@pytest.fixture(scope="session")
def small_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables of a synthetic study with experiments of every kind; to be read, not written to."""
    return made_once(tmp_path_factory, "small_study", write_small_study)


@pytest.fixture(scope="session")
def small_paper(small_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small study's ``results`` and what the paper prints of them, ``generated``; to be read only."""
    return made_once(tmp_path_factory, "small_paper", lambda folder: generate(small_study, folder))


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Images for small networks to learn from."""
    return blurred_prototypes()
