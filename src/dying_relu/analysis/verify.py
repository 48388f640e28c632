"""The comparison of a study that was just run with the published one, cell by cell and verdict by verdict.

A cell is a setting that both studies have: an experiment with a level of every factor. Its means over seeds agree if they
differ by no more than ``STANDARD_ERRORS`` standard errors of the difference, from the standard deviation of seeds pooled over
all cells of the experiment, plus ``MARGIN``. Cells that were trained on other numbers of examples or steps may differ for that
reason and are counted apart. A run that diverged or collapsed is in no mean, so that a cell in which all did has none: how often the
networks of each cell train is compared by itself. The verdicts decide.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from dying_relu.analysis import claims
from dying_relu.analysis.factors import FACTORS
from dying_relu.analysis.outcomes import trained
from dying_relu.results import store

METRICS = ("dead_fraction", "test_accuracy")
CELL = ["experiment", *(factor for factor in FACTORS if factor not in ("replicate", "batch_size"))]
SCALE = ["train_examples", "steps", "batch_size"]
STANDARD_ERRORS = 4.0
MARGIN = 0.01
"""A percentage point: what other versions of the libraries or another processor may change."""
OUTCOMES = 0.5
"""At the edge of divergence rounding decides; a cell disagrees if the shares of runs that trained differ by more than this."""


@dataclass(frozen=True)
class Verification:
    """The differences between two studies.

    Attributes:
        cells: a row a cell and metric: the columns of the setting, ``metric``, ``ours``, ``published``, ``tolerance``, ``same_scale`` and
            ``agrees``.
        trained: a row a cell: the columns of the setting, ``ours`` and ``published`` (the shares of runs that trained), ``same_scale``
            and ``agrees``.
        verdicts: a row a claim: ``claim``, ``ours``, ``published`` and ``agrees``. "Not settled", in either, contradicts no verdict, and
            conditions are not compared.
    """

    cells: pd.DataFrame
    trained: pd.DataFrame
    verdicts: pd.DataFrame

    @property
    def conclusions_agree(self) -> bool:
        """True if no verdict contradicts the published one."""
        return bool(self.verdicts["agrees"].all())

    @property
    def summary(self) -> str:
        """The verdict of the comparison, in one line."""
        verdicts = self.verdicts
        differing = list(verdicts.loc[~verdicts["agrees"], "claim"])
        settled = (verdicts["ours"] != claims.NOT_SETTLED) & (verdicts["published"] != claims.NOT_SETTLED)
        alike, unsettled = int((verdicts["agrees"] & settled).sum()), int((~settled).sum())
        counts = f"{alike} of {len(verdicts)} claims and findings alike, {unsettled} not settled in one study or both"
        if differing:
            return f"Does not agree with the published study: {', '.join(differing)} differ; {counts}."
        if not alike:
            return f"Not settled: {counts}."
        return f"Agrees with the published study: {counts}."


def verify(results_folder: Path, published_folder: Path) -> Verification:
    """Compare two studies.

    Args:
        results_folder: of the one.
        published_folder: of the other.

    Raises:
        DyingReluError: a table of either is missing or damaged.
    """
    runs = [store.read("runs", folder / "runs.parquet") for folder in (results_folder, published_folder)]
    return Verification(_compared(*runs), _outcomes(*runs), _verdicts(results_folder, published_folder))


def _compared(*runs: pd.DataFrame) -> pd.DataFrame:
    ours, published = (_cells(table) for table in runs)
    cells = ours.merge(published, on=[*CELL, "metric"], suffixes=("_ours", "_published"))
    error = np.sqrt(sum(cells[f"spread_{side}"] ** 2 / cells[f"n_{side}"] for side in ("ours", "published")))
    cells["tolerance"] = STANDARD_ERRORS * error + MARGIN
    cells["same_scale"] = _same_scale(cells)
    cells["agrees"] = (cells["mean_ours"] - cells["mean_published"]).abs() <= cells["tolerance"]
    cells = cells.rename(columns={"mean_ours": "ours", "mean_published": "published"})
    return cells[[*CELL, "metric", "ours", "published", "tolerance", "same_scale", "agrees"]]


def _outcomes(*runs: pd.DataFrame) -> pd.DataFrame:
    """The shares of runs that trained, of every setting that both studies have, whether any run was left to average or not."""
    ours, published = (
        table.assign(share=trained(table))
        .groupby([*CELL, *SCALE], dropna=False)["share"]
        .mean()
        .reset_index()
        for table in runs
    )
    cells = ours.merge(published, on=CELL, suffixes=("_ours", "_published"))
    cells["same_scale"] = _same_scale(cells)
    cells = cells.rename(columns={"share_ours": "ours", "share_published": "published"})
    cells["agrees"] = (cells["ours"] - cells["published"]).abs() <= OUTCOMES
    return cells[[*CELL, "ours", "published", "same_scale", "agrees"]]


def _same_scale(cells: pd.DataFrame) -> np.ndarray:
    return np.all([cells[f"{key}_ours"] == cells[f"{key}_published"] for key in SCALE], axis=0)


def _cells(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean and number of the networks of every cell that trained, and the pooled standard deviation of its experiment."""
    values = runs[trained(runs)].melt([*CELL, *SCALE], list(METRICS), "metric", "value")
    cells = (
        values.groupby([*CELL, *SCALE, "metric"], dropna=False)["value"]
        .agg(["mean", "var", "count"])
        .reset_index()
    )
    variance = cells.groupby(["experiment", "metric"])["var"].transform("mean")
    return cells.assign(spread=np.sqrt(variance.fillna(0))).rename(columns={"count": "n"}).drop(columns="var")


def _verdicts(results_folder: Path, published_folder: Path) -> pd.DataFrame:
    ours, published = (
        claims.read(folder / "claims.csv")[["claim", "verdict"]]
        for folder in (results_folder, published_folder)
    )
    table = ours.merge(published, on="claim", suffixes=("_ours", "_published"), how="outer")
    table = table.rename(columns={"verdict_ours": "ours", "verdict_published": "published"})
    unsettled = (table["ours"] == claims.NOT_SETTLED) | (table["published"] == claims.NOT_SETTLED)
    return table.assign(agrees=unsettled | (table["ours"] == table["published"]))


def show(verification: Verification, console: Console, cells: bool = False) -> None:
    """Print the verdict of the comparison in a line, then the claims and findings that differ.

    Args:
        verification: of two studies.
        console: to print to.
        cells: print the cells and the shares of trained runs that disagree, too.
    """
    console.print(verification.summary, soft_wrap=True, highlight=False)
    verdicts = verification.verdicts
    differing = verdicts.loc[~verdicts["agrees"], ["claim", "ours", "published"]]
    _print_rows(differing, "Conclusions that differ", console)
    if cells:
        _show_cells(verification, console)


def _show_cells(verification: Verification, console: Console) -> None:
    cells = verification.cells
    for same, scale in ((True, "same scale"), (False, "another scale")):
        compared = cells[cells["same_scale"] == same]
        if len(compared):
            agree = int(compared["agrees"].sum())
            console.print(
                f"{agree:,} of {len(compared):,} cells agree ({scale}: examples, steps, batch size)"
            )
    disagreeing = cells[~cells["agrees"]]
    _print_rows(
        disagreeing[["metric", "ours", "published", "tolerance", "same_scale"]].assign(
            setting=_settings(disagreeing)
        ),
        "Cells that disagree",
        console,
    )
    shares = verification.trained
    as_often = int((shares["ours"] == shares["published"]).sum())
    console.print(f"{as_often:,} of {len(shares):,} settings train equally often")
    differing_often = shares[~shares["agrees"]]
    _print_rows(
        differing_often[["ours", "published", "same_scale"]].assign(setting=_settings(differing_often)),
        "Shares of runs that trained, where they disagree",
        console,
    )


def _settings(cells: pd.DataFrame) -> list[str]:
    """Each setting in a line, in which numbers have names and names speak for themselves."""
    return [
        ", ".join(str(level) if isinstance(level, str) else f"{key} {level:g}" for key, level in row.items())
        for row in cells[CELL].to_dict("records")
    ]


def _print_rows(rows: pd.DataFrame, title: str, console: Console) -> None:
    if rows.empty:
        return
    table = Table(title=title, title_justify="left")
    for column in rows:
        table.add_column(str(column), overflow="fold")
    for row in rows.itertuples(index=False):
        table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row))
    console.print(table)
