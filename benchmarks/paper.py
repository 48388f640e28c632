"""What the paper shows of the benchmarks: a table, and sentences for the numbers that are no table."""

import json
from pathlib import Path

import pandas as pd

from benchmarks.contestants import JOBS, OURS
from benchmarks.tables import best, read
from dying_relu.analysis import latex
from dying_relu.analysis.tables.tabular import tabular


def performance(folder: Path) -> str:
    """The table and the sentences as LaTeX, from the files that the benchmarks wrote to ``folder``."""
    parts = [table(read(folder / "engine.csv")), _machine(folder / "machine.json")]
    if (folder / "end_to_end.csv").is_file():
        parts.append(_end_to_end(folder / "end_to_end.csv"))
    return "\n\\par\\medskip\n".join(parts) + "\n"


def _machine(path: Path) -> str:
    machine = json.loads(path.read_text(encoding="utf-8"))
    gpu = f", {machine['gpu']}" if machine["gpu"] else ""
    words = f"{machine['cpu']}, {latex.word(machine['cores'])} cores{gpu}; PyTorch {machine['torch']}"
    return rf"\noindent Measured on: {latex.escape(words)}."


def _end_to_end(path: Path) -> str:
    row = pd.read_csv(path).iloc[0]
    return (
        rf"\noindent A study of {latex.number(row['networks'])} networks ({latex.escape(_words(row['case']))}) of "
        rf"{latex.number(row['samples_per_network'])} samples each takes {latex.minutes(row['workflow_seconds'])} "
        rf"through the whole workflow. With a Snakemake job for each network it would take "
        rf"{latex.minutes(row['jobs_seconds_extrapolated'])} ({latex.number(row['sample_of_jobs'])} such jobs were "
        rf"measured), {latex.number(row['ratio'])} times as long."
    )


def table(engine: pd.DataFrame) -> str:
    """A ``tabular``: a row a case, the methods side by side in thousands of samples per second.

    The others at the stack that suits each best; ours at the one that it chooses, which on a GPU is the largest.
    """
    rows = best(engine)
    ours = engine[(engine["method"] == OURS) & (engine["chosen"] | (engine["device"] == "cuda"))]
    ours = ours.loc[ours.groupby(["case", "precision", "device"], sort=False)["stack"].idxmax()]
    return tabular(pd.DataFrame([_row(row, rows) for _, row in ours.iterrows()]), column_format="lrrrrrrrrr")


def _row(ours: pd.Series, rows: pd.DataFrame) -> dict[str, str]:
    # The others in the precision in which people use them, whatever ours.
    alike = (rows["case"] == ours["case"]) & (rows["device"] == ours["device"])
    others = rows[alike & (rows["precision"] == "float32")].sort_values("processes")

    def thousands(method: str, place: int = -1) -> str:
        rates = others.loc[others["method"] == method, "samples_per_s"]
        return latex.number(rates.iloc[place] / 1000) if len(rates) else latex.NOT_MEASURED

    return {
        "Networks": _case_name(ours),
        "job a run": thousands(JOBS),
        "all cores": thousands("usual", place=0),
        "a process a core": thousands("usual"),
        r"\texttt{torch.func}": thousands("torch_func"),
        "ours": latex.number(ours["samples_per_s"] / 1000),
        "stack": latex.number(ours["stack"]),
        "of the peak": latex.percent(ours["share_of_peak"]),
        r"$\times$ usual": latex.number(ours["ratio_to_usual"]),
        r"$\times$ \texttt{torch.func}": latex.number(ours["ratio_to_torch_func"]),
    }


def _case_name(ours: pd.Series) -> str:
    words = [_words(ours["case"])]
    words += [ours["precision"]] if ours["precision"] != "float32" else []
    words += ["GPU"] if ours["device"] == "cuda" else []
    return ", ".join(words)


def _words(case: str) -> str:
    return ", ".join(latex.name(word) for word in case.split("-"))
