"""pyproject.toml (what may be installed), requirements.lock (what is) and environment.yml (the same for conda) agree."""

import json
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())

TORCH_ON_A_GPU = re.compile(r"nvidia-|cuda-|triton$")
"""What torch brings along depends on the machine."""


def locked() -> dict[str, Version]:
    """Package -> version, on this machine."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"==[^,*]+", str(pin.specifier)) for pin in pins), (
        "an exact version in every line"
    )
    return {
        canonicalize_name(pin.name): Version(str(pin.specifier).removeprefix("=="))
        for pin in pins
        if pin.marker is None or pin.marker.evaluate()
    }


def direct() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    return [Requirement(text) for texts in [PROJECT["dependencies"], *extras] for text in texts]


@pytest.mark.parametrize("requirement", direct(), ids=lambda requirement: requirement.name)
def test_the_lock_file_has_a_version_that_the_project_admits(requirement: Requirement) -> None:
    assert locked()[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_lock_file_has_what_the_packages_need_and_nothing_else() -> None:
    needed: set[str] = set()
    waiting = direct()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        wanted = {name, *(f"{name}[{extra}]" for extra in requirement.extras)}
        if wanted <= needed:
            continue
        needed |= wanted
        for text in metadata.requires(name) or ():
            further = Requirement(text)
            extras = requirement.extras or {""}
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(further)
    needed = {name for name in needed if "[" not in name and not TORCH_ON_A_GPU.match(name)}
    assert needed == set(locked())


def test_the_lock_file_can_build_the_project_without_a_connection() -> None:
    backend = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    for requirement in map(Requirement, backend):
        assert locked()[canonicalize_name(requirement.name)] in requirement.specifier


def test_conda_takes_its_packages_from_the_lock_file() -> None:
    *conda, by_pip = CONDA["dependencies"]
    assert by_pip == {"pip": ["-r requirements.lock", "-e ."]}
    names = {re.split(r"[ =<>]", text)[0] for text in conda}
    assert not names & set(locked())


def test_conda_takes_a_python_that_the_project_admits() -> None:
    (python,) = [
        text for text in CONDA["dependencies"] if isinstance(text, str) and text.startswith("python=")
    ]
    assert Version(python.removeprefix("python=")) in SpecifierSet(PROJECT["requires-python"])


def test_the_citation_names_this_version_and_licence() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert citation["title"]
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["authors"] == PROJECT["authors"]


def test_codemeta_describes_this_version() -> None:
    described = json.loads((ROOT / "codemeta.json").read_text())
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert described["@context"] == "https://w3id.org/codemeta/3.0"
    assert described["@type"] == "SoftwareSourceCode"
    assert described["name"] == PROJECT["name"]
    assert described["version"] == PROJECT["version"]
    assert described["license"] == f"https://spdx.org/licenses/{PROJECT['license']}"
    assert [author["name"] for author in described["author"]] == [a["name"] for a in PROJECT["authors"]]
    assert described["runtimePlatform"] == f"Python {PROJECT['requires-python']}"
    assert described["keywords"] == citation["keywords"]
    required = {(r.name, r.specifier) for r in map(Requirement, described["softwareRequirements"])}
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
