"""What may be installed (pyproject.toml), what is (the lock files) and the same for conda (environment.yml) agree."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from ruamel.yaml import YAML

from dying_relu import cli

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
LOGGER = tomllib.loads((ROOT / "workflow/logger/pyproject.toml").read_text(encoding="utf-8"))["project"]

PAPER, TORCH, DEVELOPMENT = "requirements.lock", "requirements-torch.lock", "requirements-development.lock"
OF_THE_PAPER = ("study", "workflow", "notebooks", "slurm")
"""Extras that a paper is made with, here or on a cluster."""

TORCH_ON_A_GPU = re.compile(r"nvidia-|cuda-|triton$")
"""Packages that torch brings along on some machines only."""
IMPORTED_AS = {"pillow": "PIL", "ruamel.yaml": "ruamel", "vl-convert-python": "vl_convert"}


def described(name: str) -> Any:
    return YAML(typ="safe").load((ROOT / name).read_text(encoding="utf-8"))


CONDA = described("environment.yml")


def pins(lock: str) -> dict[str, list[str]]:
    """Requirement, as it stands in a lock file -> its hashes."""
    hashes: dict[str, list[str]] = {}
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        text = line.removesuffix("\\").strip()
        if text.startswith("--hash="):
            hashes[next(reversed(hashes))].append(text.removeprefix("--hash="))
        elif text and not text.startswith("#"):
            hashes[text] = []
    return hashes


def locked(*locks: str) -> dict[str, Version]:
    """Package -> version, on this machine."""
    versions: dict[str, Version] = {}
    for requirement in (Requirement(text) for lock in locks for text in pins(lock)):
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), "an exact version in every line"
        if requirement.marker is None or requirement.marker.evaluate():
            version = Version(str(requirement.specifier).removeprefix("=="))
            assert versions.setdefault(canonicalize_name(requirement.name), version) == version
    return versions


def direct(*extras: str) -> list[Requirement]:
    """What the core asks for, and these extras."""
    texts = [*PROJECT["dependencies"], *LOGGER["dependencies"]]
    texts += [text for extra in extras for text in PROJECT["optional-dependencies"][extra]]
    return [requirement for requirement in map(Requirement, texts) if requirement.name != PROJECT["name"]]


def needed(requirements: Iterable[Requirement], without: Iterable[str] = ()) -> set[str]:
    """Every package that these need on this machine, directly or by way of others, but for ``without`` and what they need."""
    visited: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        names = {name, *(f"{name}[{extra}]" for extra in requirement.extras)}
        if names <= visited or name in without:
            continue
        visited |= names
        waiting += _needed_by(name, requirement.extras or {""})
    return {name for name in visited if "[" not in name and not TORCH_ON_A_GPU.match(name)}


def _needed_by(name: str, extras: Iterable[str]) -> Iterator[Requirement]:
    for requirement in map(Requirement, metadata.requires(name) or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            yield requirement


@pytest.mark.parametrize(
    "requirement", direct(*PROJECT["optional-dependencies"]), ids=lambda requirement: requirement.name
)
def test_the_lock_files_have_a_version_that_the_project_admits(requirement: Requirement) -> None:
    versions = locked(PAPER, TORCH, DEVELOPMENT)
    assert versions[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_lock_files_have_what_the_packages_need_and_nothing_else() -> None:
    assert needed(direct(*OF_THE_PAPER)) == set(locked(PAPER, TORCH))
    everything = needed(direct(*PROJECT["optional-dependencies"]))
    assert everything == set(locked(PAPER, TORCH, DEVELOPMENT))


def test_the_lock_file_of_development_adds_to_that_of_the_paper() -> None:
    added = set(locked(DEVELOPMENT)) - set(locked(PAPER, TORCH))
    assert {"lightning", "mutmut", "pytest", "ruff", "timm"} <= added
    assert not set(pins(DEVELOPMENT)) & set(pins(PAPER))


def test_every_package_but_torch_has_hashes() -> None:
    for lock in (PAPER, DEVELOPMENT):
        for requirement, hashes in pins(lock).items():
            assert hashes, f"{requirement} of {lock}"
            assert all(re.fullmatch("sha256:[0-9a-f]{64}", digest) for digest in hashes)
    assert not any(pins(TORCH).values())
    # Of the paper's packages, only what torch alone needs goes without.
    others = needed(direct(*OF_THE_PAPER), without={"torch", "torchvision"})
    assert not others & set(locked(TORCH))


def test_the_lock_files_can_build_the_project_without_a_connection() -> None:
    for requirement in map(Requirement, PYPROJECT["build-system"]["requires"]):
        assert locked(PAPER, TORCH)[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_core_is_small_and_admits_many_versions() -> None:
    core = {
        requirement.name: requirement.specifier for requirement in map(Requirement, PROJECT["dependencies"])
    }
    assert set(core) == {"numpy", "pandas", "rich", "torch", "typer"}
    assert all(clause.operator == ">=" for specifier in core.values() for clause in specifier)


def test_the_command_line_knows_the_packages_of_the_study() -> None:
    names = [Requirement(text).name for text in PROJECT["optional-dependencies"]["study"]]
    assert {IMPORTED_AS.get(name, name) for name in names} == cli.STUDY_PACKAGES


def test_conda_takes_its_packages_from_the_lock_files() -> None:
    *conda, by_pip = CONDA["dependencies"]
    editable = ["-e .", "-e workflow/logger"]
    assert by_pip == {"pip": [*editable, *pins(TORCH), *pins(PAPER)]}
    names = {re.split(r"[ =<>]", text)[0] for text in conda}
    assert not names & set(locked(PAPER, TORCH))


def test_a_container_installs_the_lock_files_of_the_paper() -> None:
    steps = (ROOT / "Containerfile").read_text(encoding="utf-8")
    for lock in (PAPER, TORCH):
        assert f" {lock} " in steps
        assert f"--requirement {lock} " in steps
    assert DEVELOPMENT not in steps


def test_conda_takes_a_python_that_the_project_admits() -> None:
    (python,) = [
        text for text in CONDA["dependencies"] if isinstance(text, str) and text.startswith("python=")
    ]
    assert Version(python.removeprefix("python=")) in SpecifierSet(PROJECT["requires-python"])


def test_the_citation_names_this_version_and_licence() -> None:
    citation = described("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert citation["title"]
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


def test_codemeta_describes_this_version() -> None:
    codemeta = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
    citation = described("CITATION.cff")
    assert codemeta["@context"] == "https://w3id.org/codemeta/3.0"
    assert codemeta["@type"] == "SoftwareSourceCode"
    assert codemeta["name"] == PROJECT["name"]
    assert codemeta["version"] == PROJECT["version"]
    assert codemeta["license"] == f"https://spdx.org/licenses/{PROJECT['license']}"
    assert [author["name"] for author in codemeta["author"]] == [a["name"] for a in PROJECT["authors"]]
    assert codemeta["runtimePlatform"] == f"Python {PROJECT['requires-python']}"
    assert codemeta["keywords"] == citation["keywords"]
    systems = {
        name.split(" :: ")[-1] for name in PROJECT["classifiers"] if name.startswith("Operating System")
    }
    assert {system.lower() for system in codemeta["operatingSystem"]} == {name.lower() for name in systems}
    required = {(r.name, r.specifier) for r in map(Requirement, codemeta["softwareRequirements"])}
    assert required == {(r.name, r.specifier) for r in map(Requirement, PROJECT["dependencies"])}


def test_what_studies_and_tools_make_is_ignored_by_git() -> None:
    made = [
        ".venv/bin/python",
        "data/mnist.safetensors",
        "results/default/runs.parquet",
        "paper/generated/default/numbers.tex",
        ".snakemake/log",
    ]
    if subprocess.run(["git", "-C", str(ROOT), "rev-parse"], capture_output=True, check=False).returncode:
        pytest.skip("not a git repository")
    done = subprocess.run(
        [
            "git",
            "-C",
            str(ROOT),
            "check-ignore",
            *made,
            "results/published/runs.parquet",
            "config/config.yaml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == made
