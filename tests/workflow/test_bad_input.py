"""What the workflow says before it runs anything, when the study cannot be run as asked."""

import shutil
import subprocess

import pytest
from project_copy import ROOT, Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("bad") / "project")


def refused(project: Project, *arguments: str, study: str = "config/smoke.yaml") -> str:
    done = project.warm_snakemake(*arguments, study=study)
    assert done.returncode == 1
    assert not (project.folder / "results/smoke").exists()
    assert not (project.folder / "data").exists()
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        (
            "study: smoke",
            "study: x; touch pwned",
            "study: found 'x; touch pwned'; expected text that matches",
        ),
        (
            "learning_rate: [0.01",
            "learning_rate: [fast",
            "causes.grid.learning_rate[0]: found 'fast'; expected a number",
        ),
        ("training:", "trainign:", "trainign: found an unknown key; expected one of"),
    ],
)
def test_a_mistake_in_the_study_stops_everything(
    project: Project, found: str, instead: str, message: str
) -> None:
    text = (project.folder / "config/smoke.yaml").read_text(encoding="utf-8")
    assert found in text
    (project.folder / "my.yaml").write_text(text.replace(found, instead, 1), encoding="utf-8")
    assert message in refused(project, study="my.yaml")
    assert not list(project.folder.rglob("pwned"))


def test_make_says_which_study_is_missing(project: Project) -> None:
    """Snakemake itself reads the file first, and ends with a traceback whose last line names it."""
    folder = project.folder
    shutil.copy2(ROOT / "Makefile", folder)
    # What make would install first.
    for done in (".venv/.installed", ".venv/bin/python", ".venv/bin/snakemake"):
        (folder / done).parent.mkdir(parents=True, exist_ok=True)
        (folder / done).write_text("#!/bin/sh\n", encoding="utf-8")
        (folder / done).chmod(0o755)
    command = ["make", "paper", "STUDY=absent", "--old-file=.venv/.installed"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert (
        "error: there is no study config/absent.yaml; STUDY is the name of a file in config/" in done.stderr
    )


def test_a_missing_study_is_named(project: Project) -> None:
    done = project.snakemake(study="absent.yaml")
    assert done.returncode == 1
    assert "absent.yaml" in done.stderr


def test_changing_a_study_from_the_command_line_is_refused(project: Project) -> None:
    assert "--config is not supported. Copy config/config.yaml" in refused(project, "--config", "seed=1")


def test_two_studies_at_once_are_refused(project: Project) -> None:
    done = project.run("snakemake", "--configfile", "config/smoke.yaml", "config/config.yaml")
    assert done.returncode == 1
    assert "give one --configfile, not several" in done.stderr


def test_a_given_study_is_not_mixed_with_the_default_one(project: Project) -> None:
    jobs = project.would_run()
    assert {job.shard.split("-")[1] for job in jobs if job.rule == "shard"} == {"mnist", "cifar10"}
    assert not any("-r2-" in job.shard for job in jobs)


def test_missing_latex_is_noticed_before_anything_runs(project: Project) -> None:
    project.append("paper/preamble.tex", "\\usepackage{nosuchpackage}\n")
    said = refused(project)
    assert "LaTeX cannot typeset the paper here: found no nosuchpackage.sty" in said
    assert "apt-get install latexmk" in said


def test_the_rules_are_clean(project: Project) -> None:
    done = project.warm_snakemake("--lint")
    complaints = {
        line.strip() for line in (done.stdout + done.stderr).splitlines() if line.startswith("    * ")
    }
    # One environment serves all rules: the lock file's.
    assert complaints <= {"* Specify a conda environment or container for each rule.:"}
