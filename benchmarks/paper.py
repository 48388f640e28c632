"""The benchmarks in the paper: tables, and sentences for the numbers that are no table."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.settings import title
from benchmarks.side_by_side import side_by_side
from benchmarks.tables import read
from dying_relu.analysis import latex
from dying_relu.analysis.tables.tabular import tabular


def performance(folder: Path) -> str:
    """The tables and the sentences as LaTeX, from the files that the benchmarks wrote to ``folder``."""
    parts = [*tables(read(folder / "engine.csv")), _machine(folder / "machine.json")]
    if (folder / "end_to_end.csv").is_file():
        parts.append(_end_to_end(folder / "end_to_end.csv"))
    return _below_each_other(parts)


def tables(engine: pd.DataFrame) -> list[str]:
    """The benchmark's own networks, and those of the study with a sentence before them if they were measured."""
    study = study_table(engine)
    sentence = (
        r"\noindent The networks that this study trains, with the same methods; how many are trained per second, all "
        r"processes together, by the samples that one of them is trained on:"
    )
    return [table(engine), *([sentence, study] if study else [])]


def engine_tex(engine: pd.DataFrame) -> str:
    """The tables alone, as the file that a benchmark leaves."""
    return _below_each_other(tables(engine))


def _below_each_other(parts: Sequence[str]) -> str:
    return "\n\\par\\medskip\n".join(parts) + "\n"


def _machine(path: Path) -> str:
    machine = json.loads(path.read_text(encoding="utf-8"))
    gpu = f", {machine['gpu']}" if machine["gpu"] else ""
    words = f"{machine['cpu']}, {latex.word(machine['cores'])} cores{gpu}; PyTorch {machine['torch']}"
    return rf"\noindent Measured on: {latex.escape(words)}."


def _end_to_end(path: Path) -> str:
    row = pd.read_csv(path).iloc[0]
    return (
        rf"\noindent A study of {latex.number(row['networks'])} networks ({latex.escape(title(row['case']))}) of "
        rf"{latex.number(row['samples_per_network'])} samples each takes {latex.minutes(row['workflow_seconds'])} "
        rf"through the whole workflow. With a Snakemake job for each network it would take "
        rf"{latex.minutes(row['jobs_seconds_extrapolated'])} ({latex.number(row['sample_of_jobs'])} such jobs were "
        rf"measured), {latex.number(row['ratio'])} times as long."
    )


def table(engine: pd.DataFrame) -> str:
    """The benchmark's own networks as a ``tabular``: a row a case, the methods side by side, thousands of samples per second."""
    rows = side_by_side(engine)
    return tabular(
        pd.DataFrame([_row(row) for _, row in rows[~rows["of_study"]].iterrows()]),
        column_format="lrrrrrrrrrrr",
    )


def study_table(engine: pd.DataFrame) -> str:
    """The study's own networks as a ``tabular``: how many are trained in a second; empty if none was measured."""
    rows = side_by_side(engine)
    rows = rows[rows["of_study"]]
    if rows.empty:
        return ""
    shown = pd.DataFrame([_study_row(row) for _, row in rows.iterrows()])
    return tabular(shown, column_format="l" + "r" * (len(shown.columns) - 1))


def _row(row: pd.Series) -> dict[str, str]:
    def thousands(column: str) -> str:
        return latex.number(row[column] / 1000)

    return {
        "Networks": row["name"],
        "job a run": thousands("jobs"),
        "all cores": thousands("usual_all_cores"),
        "each core": thousands("usual"),
        r"\texttt{torch.func}": thousands("torch_func"),
        "compiled": thousands("torch_func_compiled"),
        "JAX": thousands("jax"),
        "ours": thousands("ours"),
        "stack": latex.number(row["stack"]),
        "peak": latex.percent(row["share_of_peak"]),
        r"$\times$ usual": latex.number(row["ratio_to_usual"]),
        r"$\times$ \texttt{torch.func}": latex.number(row["ratio_to_torch_func"]),
    }


def _study_row(row: pd.Series) -> dict[str, str]:
    def per_second(column: str) -> str:
        return latex.number(row[column] / row["samples_per_network"])

    return {
        # All of them have plain SGD and ReLU, and columns are narrow.
        "SGD, ReLU": row["name"].replace(", SGD, ReLU", ""),
        "samples each": latex.number(row["samples_per_network"]),
        "usual": per_second("usual"),
        r"\texttt{torch.func}": per_second("torch_func"),
        "compiled": per_second("torch_func_compiled"),
        "JAX": per_second("jax"),
        "ours": latex.number(row["networks_per_s"]),
        "of the peak": latex.percent(row["share_of_peak"]),
        r"$\times$ usual": latex.number(row["ratio_to_usual"]),
    }
