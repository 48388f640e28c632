"""Files for contributors, archives and services: they name what exists, and agree with each other."""

import json
import re

import pytest
from generated_paper import ROOT
from ruamel.yaml import YAML

CITATION = YAML(typ="safe").load(ROOT / "CITATION.cff")
ZENODO = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
CODEMETA = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))
TEMPLATES = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml"))


def test_archives_and_citations_agree() -> None:
    assert ZENODO["version"] == CITATION["version"] == CODEMETA["version"]
    assert ZENODO["title"] == CITATION["title"]
    assert ZENODO["keywords"] == CITATION["keywords"] == CODEMETA["keywords"]
    assert ZENODO["license"] == CITATION["license"]
    assert [creator["name"] for creator in ZENODO["creators"]] == [
        author["name"] for author in CITATION["authors"]
    ]


def test_the_paper_is_cited_by_its_title() -> None:
    paper = (ROOT / "paper" / "main.tex").read_text(encoding="utf-8")
    assert f"\\title{{{CITATION['preferred-citation']['title']}}}" in paper


def test_what_does_not_exist_yet_is_marked() -> None:
    """An address that leads nowhere, or a missing DOI, is called a placeholder in the same file."""
    for name in ("CITATION.cff", ".zenodo.json", "codemeta.json"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "PLACEHOLDER" in text, name
        assert "doi.org" not in text, name


def test_the_changelog_begins_with_this_version_or_what_is_not_released() -> None:
    versions = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert CITATION["version"] in versions[:2]


def test_continuous_integration_calls_the_script_and_nothing_else() -> None:
    workflow = YAML(typ="safe").load(ROOT / ".github/workflows/ci.yml")
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"]
    assert [step["uses"].partition("@")[0] for step in steps if "uses" in step] == ["actions/checkout"]


def test_hooks_are_the_linters_of_make_lint() -> None:
    hooks = YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]
    commands = [hook["entry"].split()[0] for hook in hooks["repos"][0]["hooks"]]
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\nlint:")[2].partition("\n\n")[0]
    linters = {f".venv/bin/{name}" for name in re.findall(r"\$\(BIN\)/([\w-]+)", recipe)} - {
        ".venv/bin/snakemake"
    }
    assert set(commands) == linters


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_an_issue_template_asks_questions_with_names_of_their_own(template) -> None:
    form = YAML(typ="safe").load(template)
    if template.stem == "config":
        assert form["blank_issues_enabled"] is True
        return
    assert form["name"]
    assert form["description"]
    ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert len(ids) == len(set(ids)) >= 3
    assert all(field["attributes"].get("label") for field in form["body"] if field["type"] != "markdown")


def test_the_dev_container_is_the_projects_container() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert (ROOT / ".devcontainer" / container["build"]["dockerfile"]).resolve() == ROOT / "Containerfile"
    target = container["postCreateCommand"].partition("make ")[2]
    assert target == ".venv/.development"
    assert "\nDEVELOPMENT := .venv/.development\n" in (ROOT / "Makefile").read_text(encoding="utf-8")
