"""The plan was frozen before the study: the record has the digest of plan and rules at the commit that trained."""

import subprocess
from pathlib import Path

import pytest
from project_copy import ROOT
from published_study import PUBLISHED

from dying_relu.results import plan_digest, provenance


def git(*command: str) -> bytes:
    """What git prints, in the project's folder."""
    return subprocess.run(["git", *command], cwd=ROOT, capture_output=True, check=True).stdout


def at(commit: str) -> dict[str, bytes]:
    """The plan and the rules as they were at a commit."""
    paths = git("ls-tree", "-r", "--name-only", commit).decode().splitlines()
    return {path: git("show", f"{commit}:{path}") for path in paths if plan_digest.belongs(path)}


def in_history(commit: str) -> bool:
    return (
        subprocess.run(["git", "cat-file", "-e", f"{commit}^{{commit}}"], cwd=ROOT, check=False).returncode
        == 0
    )


def test_the_digest_covers_the_plan_and_every_rule() -> None:
    present = plan_digest.files()
    assert plan_digest.PLAN in present
    for name in (
        "claims/c10_leaky_is_best.py",
        "findings/f2_law.py",
        "inference/decisions.py",
        "thresholds.py",
    ):
        path = f"src/dying_relu/analysis/{name}"
        assert path in present
        assert plan_digest.digest(present | {path: present[path] + b"\n"}) != plan_digest.of_project()
    assert all(plan_digest.belongs(path) for path in present)


def test_files_and_history_give_one_digest(tmp_path: Path) -> None:
    if not in_history("HEAD"):
        pytest.skip("there is no history here")
    before = at("HEAD")
    for path, content in before.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    assert plan_digest.digest(plan_digest.files(tmp_path)) == plan_digest.digest(before)
    assert plan_digest.files(tmp_path / "src") == {}


def test_the_published_study_followed_the_plan_of_the_commit_that_trained_it() -> None:
    record = provenance.read(PUBLISHED)
    if not in_history(record["commit"]):
        pytest.skip(f"commit {record['commit']} is not in this history, which is shallow")
    assert plan_digest.digest(at(record["commit"])) == record["plan"]
