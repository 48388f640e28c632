"""A report on the terminal and as JSON, for the command line."""

import json
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from dying_relu.errors import DyingReluError
from dying_relu.probing.advice import advice

if TYPE_CHECKING:
    from dying_relu.probing.findings import Findings


def show(report: "Findings", console: Console) -> None:
    """Print the summary, the dead fraction and the advice.

    Args:
        report: findings to print.
        console: to print them on.
    """
    summary = report.summary()
    if summary["mean_gradient"].isna().all():
        summary = summary.drop(columns="mean_gradient")
    table = Table()
    for column in summary:
        number = column not in ("layer", "kind")
        table.add_column(str(column), justify="right" if number else "left", overflow="fold")
    for row in summary.astype(object).where(summary.notna(), "").itertuples(index=False):
        table.add_row(*(f"{value:.3g}" if isinstance(value, float) else str(value) for value in row))
    console.print(table)
    if report.not_finite:
        console.print(f"{report.not_finite} units are not finite.")
    console.print(f"{report.dead_fraction:.1%} of the units are dead.")
    console.print(advice(report), markup=False, highlight=False)


def as_json(report: "Findings") -> str:
    """The summary, the dead fraction, the number of units that are not finite and the advice as JSON; unknown values are null."""
    content = {
        "dead_fraction": report.dead_fraction,
        "not_finite": report.not_finite,
        "layers": json.loads(report.summary().to_json(orient="records")),
        "advice": advice(report).splitlines(),
    }
    return json.dumps(content, indent=1) + "\n"


def require_healthy(report: "Findings", most: float) -> None:
    """Check a model in continuous integration.

    Args:
        report: findings on the model.
        most: share of dead units that is still allowed.

    Raises:
        DyingReluError: a unit is infinite or not a number, or a larger share is dead.
    """
    if report.not_finite:
        raise DyingReluError(f"{report.not_finite} units have pre-activations that are not finite")
    if report.dead_fraction > most:
        raise DyingReluError(f"{report.dead_fraction:.1%} of the units are dead, more than {most:.1%}")
