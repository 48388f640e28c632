"""The smoke study for real, from the data to the PDF, in a copy of the project."""

import re
import shutil
from collections import Counter
from pathlib import Path

import jupytext
import pandas as pd
import pytest
from nbclient import NotebookClient
from project_copy import ROOT, Job, Project

from dying_relu.analysis import claims, figures
from dying_relu.plan.study import Study, load
from dying_relu.results import schemas, store

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("smoke")]

REPORT = "report.html"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project in which the smoke study has run."""
    project = Project(tmp_path_factory.mktemp("smoke") / "project")
    project.link_data()
    done = project.snakemake()
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    shards = len(load(project.folder / "config/smoke.yaml").shards)
    assert f"of {shards} shards, about" in said
    assert "causes-mnist-mlp-00 took" in said
    assert "Paper:     results/smoke/paper.pdf" in said
    assert "Verdicts:  Of thirteen claims, " in said
    assert "Explore:   open results/smoke/explorer.html in a browser" in said
    return project


@pytest.fixture(scope="module")
def study(project: Project) -> Study:
    return load(project.folder / "config/smoke.yaml")


def table(project: Project, name: str) -> pd.DataFrame:
    return store.read(name, project.folder / "results/smoke" / f"{name}.parquet")


def test_it_ends_with_the_paper(project: Project) -> None:
    pdf = project.folder / "results/smoke/paper.pdf"
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size > 50_000


def test_the_paper_fits_its_pages(project: Project) -> None:
    """LaTeX's log is about this very study's numbers and tables; others' may be wider than the made-up ones."""
    log = (project.folder / "results/smoke/logs/typeset.log").read_text(encoding="utf-8", errors="replace")
    assert "Output written on" in log
    complaints = [line for line in log.splitlines() if re.search(r"Overfull|Warning:", line)]
    # Of the first passes, before references are resolved and the columns of long tables are as wide as they need to be.
    passing = r"undefined|Rerun|rerun|No file|Label\(s\) may have changed|Citation|widths have changed"
    assert [line for line in complaints if not re.search(passing, line)] == []
    last_pass = log.rsplit("This is pdfTeX", maxsplit=1)[1]
    assert [line for line in last_pass.splitlines() if "Warning:" in line] == []


def test_the_notebook_shows_the_study(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DYING_RELU_RESULTS", str(project.folder / "results/smoke"))
    notebook = jupytext.read(ROOT / "notebooks/explore_results.py")
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": ROOT / "notebooks"}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == len(figures.NAMES)


def test_every_run_of_the_plan_is_in_the_table(project: Project, study: Study) -> None:
    runs = table(project, "runs").set_index("run")
    assert set(runs.index) == {run.id for run in study.runs}
    for run in study.runs:
        row = runs.loc[run.id]
        for factor in ("experiment", "dataset", "architecture", "optimiser", "activation", "initialisation"):
            assert row[factor] == getattr(run, factor)
        assert (row["learning_rate"], row["initial_bias"]) == (run.learning_rate, run.initial_bias)


def test_units_are_recorded_where_they_were_asked_for(project: Project, study: Study) -> None:
    recorded = set(table(project, "units")["run"])
    assert recorded == {run.id for shard in study.shards if shard.record_units for run in shard.runs}


def test_networks_learn_where_nothing_stands_in_their_way(project: Project) -> None:
    runs = table(project, "runs")
    easy = runs[(runs["dataset"] == "mnist") & (runs["learning_rate"] == 0.1) & (runs["initial_bias"] == 0)]
    assert easy[easy["experiment"] == "causes"]["test_accuracy"].min() > 0.5


def test_an_activation_that_never_stops_its_gradient_never_dies(project: Project) -> None:
    runs = table(project, "runs")
    # An intervention may remove units, or change their slope.
    alone = ~runs["overflowed"] & (runs["intervention"] == "none")
    leaky = runs[runs["activation"].isin(["leaky_relu", "prelu"]) & alone & (runs["mean_slope"] != 0)]
    assert len(leaky) > 10
    assert (leaky["dead_fraction"] == 0).all()


def test_fractions_of_units_agree_between_tables(project: Project) -> None:
    layers = table(project, "layers")
    last = layers[layers["probe"] == "train"].groupby("run")["step"].transform("max")
    final = layers[(layers["probe"] == "train")].loc[lambda rows: rows["step"] == last]
    totals = final.groupby("run")[["dead", "units"]].sum()
    runs = table(project, "runs").set_index("run")
    runs = runs[~runs["overflowed"]]
    counted = (totals["dead"] / totals["units"]).loc[runs.index]
    pd.testing.assert_series_equal(counted, runs["dead_fraction_probe"], check_names=False)


def test_nothing_runs_twice(project: Project) -> None:
    assert not project.would_run()


def test_text_is_typeset_without_training(project: Project) -> None:
    (project.folder / "results/smoke/paper.pdf").unlink()
    assert project.would_run("paper") == Counter([Job("typeset")])
    done = project.snakemake("paper")
    assert done.returncode == 0, done.stderr


def test_a_job_can_be_pasted_into_a_shell_and_repeats_itself(
    project: Project, study: Study, tmp_path: Path
) -> None:
    shard = next(shard for shard in study.shards if shard.experiment == "recovery")
    done = project.run(
        "dying-relu", "train", shard.name, "--config", "config/smoke.yaml", "--fingerprint", shard.fingerprint,
        "--data", "data/mnist.safetensors", "--out", str(tmp_path / "again"),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in schemas.TABLES:
        first = store.read(name, project.folder / f"results/smoke/shards/{shard.name}/{name}.parquet")
        pd.testing.assert_frame_equal(first, store.read(name, tmp_path / "again" / f"{name}.parquet"))


def test_the_report_stands_alone(project: Project) -> None:
    done = project.snakemake("--report", REPORT)
    assert done.returncode == 0, done.stderr
    html = (project.folder / REPORT).read_text(encoding="utf-8")
    assert "Which ReLU units die, why, and what helps" in html
    for category in ("Claims", "Explorer", "Figures", "Paper", "Study"):
        assert f'"{category}"' in html
    assert '"6 phase diagram"' in html
    # The verdicts stand on the first page, which is one string of the page's data.
    assert r"<th scope=\"row\">C13</th>" in html
    assert '<script src="http' not in html
    assert '<link href="http' not in html


def test_the_study_can_be_verified_against_a_published_one(project: Project) -> None:
    """Here against itself."""
    shutil.copytree(
        project.folder / "results/smoke",
        project.folder / "results/published",
        ignore=shutil.ignore_patterns("shards", "logs", "benchmarks", "archive"),
        dirs_exist_ok=True,
    )
    done = project.snakemake("verify")
    assert done.returncode == 0, done.stderr
    verdicts = claims.read(project.folder / "results/smoke/claims.csv")["verdict"]
    assert len(verdicts) == len(claims.ordered()) + len(claims.ordered_findings())
    open_ones = (verdicts == claims.NOT_SETTLED).sum()
    alike = (
        f"{len(verdicts) - open_ones} of {len(verdicts)} claims and findings alike, {open_ones} not settled"
    )
    assert f"Agrees with the published study: {alike}" in done.stdout


def test_the_study_can_be_archived(project: Project) -> None:
    """The bundle's paper is compiled from the bundle alone, and compared, before it is written."""
    done = project.snakemake("archive")
    assert done.returncode == 0, done.stderr
    out = project.folder / "results/smoke/archive"
    bundles = {"arxiv.tar.gz", "results.tar.gz"}
    assert {path.name for path in out.iterdir()} == bundles | {f"{name}.sha256" for name in bundles}


def test_everything_after_training_made_again_has_the_same_bits(project: Project) -> None:
    def files() -> dict[str, bytes]:
        made = [
            path
            for folder in ("results/smoke", "paper/generated/smoke")
            for path in sorted((project.folder / folder).rglob("*"))
            if path.is_file() and not {"logs", "benchmarks", "shards"} & set(path.parts)
        ]
        return {str(path.relative_to(project.folder)): path.read_bytes() for path in made}

    before = files()
    assert {"results/smoke/paper.pdf", "results/smoke/claims.csv", "results/smoke/runs.parquet"} <= set(
        before
    )
    done = project.snakemake("--forcerun", "aggregate")
    assert done.returncode == 0, done.stderr
    after = files()
    assert [name for name in before if after.get(name) != before[name]] == []
