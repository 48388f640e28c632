"""What an edit makes Snakemake run again: all that it may have changed, and nothing else."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from project_copy import ROOT, Job, Project

from dying_relu.plan.study import load

AFTER_TRAINING = {
    *("aggregate", "record", "settle", "tables", "numbers", "typeset"),
    *("explorer", "verdict_page"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the smoke study seems to have run."""
    project = Project(tmp_path_factory.mktemp("finished") / "project")
    project.run_in_pretence()
    return project.folder


@pytest.fixture
def project(finished: Path, tmp_path: Path) -> Project:
    """A copy of it to edit."""
    copy = Project.__new__(Project)
    copy.folder = tmp_path / "project"
    shutil.copytree(finished, copy.folder, symlinks=True)
    return copy


def rules(jobs: Counter[Job]) -> set[str]:
    return {job.rule for job in jobs}


def figures(jobs: Counter[Job]) -> set[str]:
    return {rule for rule in rules(jobs) if rule.startswith("figure_")}


def shards(jobs: Counter[Job]) -> set[str]:
    return {job.shard for job in jobs if job.rule == "shard"}


ALL_SHARDS = {shard.name for shard in load(ROOT / "config/smoke.yaml").shards}


def test_nothing_runs_twice(project: Project) -> None:
    assert not project.would_run()


def test_a_new_learning_rate_trains_its_experiment_only(project: Project) -> None:
    project.edit(
        "config/smoke.yaml", "learning_rate: [0.01, 0.1, 1.0]", "learning_rate: [0.01, 0.1, 0.3, 1.0]"
    )
    jobs = project.would_run()
    assert shards(jobs) == {name for name in ALL_SHARDS if name.startswith("causes-")}
    assert rules(jobs) - figures(jobs) == {"configuration", "shard"} | AFTER_TRAINING


def test_a_new_experiment_trains_itself_only(project: Project) -> None:
    project.append(
        "config/smoke.yaml",
        """
  mine:
    question: Is this another experiment?
    grid: {dataset: [mnist], architecture: [mlp], optimiser: [sgd], learning_rate: [0.1]}
""",
    )
    assert shards(project.would_run()) == {"mine-mnist-mlp-00"}


@pytest.mark.parametrize(
    ("module", "found", "instead"),
    [
        ("training/shard_job.py", "def train(", "EDITED = 1\n\n\ndef train("),
        ("stack/activations.py", "def relu(", "EDITED = 1\n\n\ndef relu("),
        ("units/definitions.py", "def dead(", "EDITED = 1\n\n\ndef dead("),
        # Which examples, pixels, device and threads.
        ("training/shard_job.py", "device.choose(shard.device))", 'device.choose("cpu"))'),
        ("training/inputs.py", "def changed(", "EDITED = 1\n\n\ndef changed("),
        ("training/device.py", "def choose(", "EDITED = 1\n\n\ndef choose("),
        ("data/dataset.py", "def load(", "EDITED = 1\n\n\ndef load("),
    ],
)
def test_edited_training_code_trains_everything(
    project: Project, module: str, found: str, instead: str
) -> None:
    project.edit(f"src/dying_relu/{module}", found, instead)
    jobs = project.would_run()
    assert shards(jobs) == ALL_SHARDS
    assert rules(jobs) >= AFTER_TRAINING


def test_edited_code_that_fetches_data_fetches_it_again(project: Project) -> None:
    project.append("src/dying_relu/data/decode.py", "\nEDITED = 1\n")
    jobs = project.would_run()
    assert "fetch" in rules(jobs)
    assert shards(jobs) == ALL_SHARDS


def test_an_edited_figure_is_drawn_again_alone(project: Project) -> None:
    project.append("src/dying_relu/analysis/figures/fuse.py", "\nEDITED = 1\n")
    assert project.would_run() == Counter([Job("figure_fuse"), Job("typeset")])


@pytest.mark.parametrize(
    ("module", "made_again"),
    [
        (
            "simulations/born_dead.py",
            {"born_dead", "record", "tables", "numbers", "typeset"},
        ),
        ("simulations/checks.py", {"validate", "record", "tables", "numbers", "typeset"}),
    ],
)
def test_an_edited_simulation_is_run_again_without_training(
    project: Project, module: str, made_again: set[str]
) -> None:
    project.append(f"src/dying_relu/{module}", "\nEDITED = 1\n")
    assert rules(project.would_run()) == made_again


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("runs.parquet", "aggregate"),
        ("units.parquet.sha256", "aggregate"),
        ("validation.parquet", "validate"),
        ("born_dead.parquet.sha256", "born_dead"),
        ("claims.csv", "settle"),
        ("provenance.json", "record"),
        ("paper.pdf", "typeset"),
    ],
)
def test_what_is_deleted_as_a_message_advised_is_made_again(project: Project, name: str, rule: str) -> None:
    (project.folder / "results" / "smoke" / name).unlink()
    jobs = rules(project.would_run())
    assert rule in jobs
    assert "shard" not in jobs


def test_what_the_paper_shows_of_the_benchmarks_is_written_again(project: Project) -> None:
    project.append("benchmarks/paper.py", "\nEDITED = 1\n")
    assert rules(project.would_run()) == {"performance", "typeset"}


def test_edited_text_is_typeset_again_and_nothing_else(project: Project) -> None:
    project.append("paper/sections/findings.tex", "\nOne more sentence.\n")
    assert project.would_run() == Counter([Job("typeset")])


def with_comment(project: Project) -> None:
    for path in sorted(
        path for code in ("src", "benchmarks") for path in (project.folder / code).rglob("*.py")
    ):
        path.write_text(
            f"# A comment.\n{path.read_text(encoding='utf-8')}\n# And another.\n", encoding="utf-8"
        )


def with_docstring(project: Project) -> None:
    project.edit(
        "src/dying_relu/training/shard_job.py", '"""The job of one shard: train', '"""Train one shard:'
    )
    project.edit("src/dying_relu/units/definitions.py", '    """', '    """Said in other words: ')


def with_comment_in_the_study(project: Project) -> None:
    project.append("config/smoke.yaml", "# A comment.\n")


def with_comment_in_the_rules(project: Project) -> None:
    for path in sorted((project.folder / "workflow" / "rules").glob("*.smk")):
        path.write_text(f"# A comment.\n{path.read_text(encoding='utf-8')}", encoding="utf-8")


def with_other_words_in_the_help(project: Project) -> None:
    project.edit(
        "src/dying_relu/commands/study.py", "Threads; one is fastest", "Threads of a job; one is fastest"
    )


def with_another_error_message(project: Project) -> None:
    project.edit("src/dying_relu/configuration/yaml.py", "is nested too deeply", "is too deeply nested")


def with_data_elsewhere(project: Project) -> None:
    (project.folder / "data").rename(project.folder / "images")
    project.append("config/smoke.yaml", "\ndata: {cache: images}\n")


@pytest.mark.parametrize(
    "edit",
    [
        with_comment,
        with_docstring,
        with_comment_in_the_study,
        with_comment_in_the_rules,
        with_other_words_in_the_help,
        with_another_error_message,
    ],
)
def test_what_changes_no_result_runs_nothing(project: Project, edit: Callable[[Project], None]) -> None:
    edit(project)
    assert not project.would_run()


def test_another_study_shares_the_data_only(project: Project) -> None:
    jobs = project.would_run(study="config/config.yaml")
    assert "fetch" not in rules(jobs)
    assert len(shards(jobs)) == len(load(ROOT / "config/config.yaml").shards)


def test_parts_of_the_paper_can_be_asked_for(project: Project) -> None:
    project.append("paper/sections/findings.tex", "\nOne more sentence.\n")
    assert not project.would_run("train")
    assert not project.would_run("figures")
    assert rules(project.would_run("paper")) == {"typeset"}
