"""The wheel that other people install: its contents, and the probe in an environment with the core dependencies alone."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOGGER = tomllib.loads((ROOT / "workflow/logger/pyproject.toml").read_text(encoding="utf-8"))["project"]

pytestmark = pytest.mark.slow

NETWORK = """
import torch
from torch import nn

torch.manual_seed(0)

def model():
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    network[0].bias.data[0] = -100.0
    return network

def loader():
    return [torch.randn(16, 4) for _ in range(2)]
"""

FROM_PYTHON = """
import sys
from mine import loader, model
from dying_relu import Monitor, probe, prune_dead, revive

network = model()
with Monitor(network, loader(), every=1) as monitor:
    pass
report = probe(network, loader())
print(report.summary())
assert report.units("1")["dead"].tolist() == [True] + 7 * [False]
assert prune_dead(network, report)[0].out_features == 7
revive(network, report)
assert not probe(network, loader()).units("1")["dead"].any()
"""


def build(source: Path, folder: Path, *kinds: str) -> Path:
    """Build distributions of the project in ``source``, with the backend that is installed here.

    Args:
        source: folder with a pyproject.toml.
        folder: where the distributions go.
        kinds: options of ``build``, such as ``--wheel``.

    Returns:
        The wheel.
    """
    command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(folder), str(source)]
    subprocess.run(command, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the project's wheel and source archive, built from a copy so that the tree stays clean."""
    folder = tmp_path_factory.mktemp("distributions")
    source = folder / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy2(ROOT / name, source / name)
    build(source, folder / "dist")
    return folder / "dist"


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    (path,) = distributions.glob("*.whl")
    return path


def top_level(wheel: Path) -> set[str]:
    """Names that a wheel puts into site-packages, without its own metadata."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name.partition("/")[0] for name in archive.namelist()}
    return {name for name in names if not name.endswith(".dist-info")}


def core_distributions() -> Iterator[metadata.Distribution]:
    """Every installed distribution that the core needs, directly or by way of others."""
    waiting = [Requirement(text) for text in PROJECT["dependencies"]]
    visited: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        marker = requirement.marker
        key = canonicalize_name(requirement.name)
        if key in visited or (marker is not None and not marker.evaluate({"extra": ""})):
            continue
        visited.add(key)
        distribution = metadata.distribution(key)
        waiting += map(Requirement, distribution.requires or ())
        yield distribution


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment with the wheel and its core dependencies, and nothing else.

    The dependencies are links to those of the environment that runs the tests: torch alone is hundreds of megabytes. That
    none is missing is what ``pip install --no-index`` checks.
    """
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=True, symlinks=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    for distribution in core_distributions():
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}:
            place = site / top
            if not place.exists() and top != "__pycache__":
                place.symlink_to(Path(str(distribution.locate_file(top))))
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-index", wheel],
        check=True,
        env=os.environ | {"PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""},
    )
    return python


def run(python: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the fresh environment's Python in ``folder``, without this environment's search path."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [python, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_wheel_has_one_package(wheel: Path) -> None:
    assert wheel.name.startswith(f"dying_relu-{PROJECT['version']}-")
    assert top_level(wheel) == {"dying_relu"}
    with zipfile.ZipFile(wheel) as archive:
        assert "dying_relu/py.typed" in archive.namelist()


def test_an_index_would_take_the_distributions(distributions: Path) -> None:
    files = sorted(map(str, distributions.iterdir()))
    assert len(files) == 2
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_addresses_are_placeholders_that_lead_nowhere() -> None:
    assert all(url.startswith("https://example.invalid/") for url in PROJECT["urls"].values())


def test_the_logger_is_a_distribution_of_its_own(tmp_path: Path) -> None:
    source = shutil.copytree(
        ROOT / "workflow/logger",
        tmp_path / "logger",
        ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
    )
    # Snakemake finds its loggers by this prefix.
    assert top_level(build(source, tmp_path / "dist", "--wheel")) == {"snakemake_logger_plugin_progress"}
    assert LOGGER["version"] == PROJECT["version"]


def test_an_editable_logger_is_where_snakemake_looks(tmp_path: Path) -> None:
    # Snakemake lists the folders of the search path; it would not see a package that an import hook finds.
    code = "import sys; from setuptools import build_meta; build_meta.build_editable(sys.argv[1])"
    source = shutil.copytree(ROOT / "workflow/logger", tmp_path / "logger")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=source, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".pth"))
        assert archive.read(path).decode().split() == [str(source)]


def test_the_core_probes_prunes_and_revives(python: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(NETWORK, encoding="utf-8")
    (tmp_path / "use.py").write_text(FROM_PYTHON, encoding="utf-8")
    done = run(python, "use.py", folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_core_has_the_command_line(python: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(NETWORK, encoding="utf-8")
    command = [str(python.with_name("dying-relu"))]
    version = run(python, *command, "--version", folder=tmp_path)
    assert version.stdout == f"dying-relu {PROJECT['version']}\n"
    arguments = ["probe", "mine:model", "--data", "mine:loader", "--html", "dead.html", "--json", "dead.json"]
    done = run(python, *command, *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "dead.html").stat().st_size > 1000
    assert (tmp_path / "dead.json").is_file()


def test_the_study_names_its_extra(python: Path, tmp_path: Path) -> None:
    done = run(python, str(python.with_name("dying-relu")), "plan", folder=tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(
        r'error: this command needs \w+, which is not installed: run `pip install "\.\[study\]"` in a clone, or with a wheel for the dot\n',
        done.stderr,
    )
