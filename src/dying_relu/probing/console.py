"""A report on the terminal, as annotations of a pull request, and judged in continuous integration."""

import os
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Any

from dying_relu.errors import DyingReluError
from dying_relu.probing.advice import WORTH_MENTIONING, advice
from dying_relu.probing.text import WIDTH, overview

if TYPE_CHECKING:
    from dying_relu.probing.findings import Findings


def show(report: "Findings") -> None:
    """Print the counts, the table of the layers and the advice, in the width of the terminal.

    Args:
        report: findings to print.
    """
    width = max(get_terminal_size().columns, WIDTH)
    print(overview(report, width, most=None))
    for line in advice(report).splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        print(fill(line.strip(), width, initial_indent=indent, subsequent_indent=indent))


def annotations(report: "Findings", most: float | None = None) -> list[str]:
    """Commands with which a step of GitHub Actions annotates a run: an error for what fails it, a warning for a sick layer.

    Args:
        report: findings on the model.
        most: share of dead units that is allowed; None if any is.

    >>> from torch import nn, zeros
    >>> from dying_relu import probe
    >>> annotations(probe(nn.Sequential(nn.ReLU()), [zeros(4, 2)]))
    ['::warning title=Dead units in 0::2 of 2 units are dead']
    """
    commands = []
    try:
        require_healthy(report, 1.0 if most is None else most)
    except DyingReluError as error:
        commands.append(f"::error title=Dead units::{_escaped(str(error))}")
    rows: list[dict[Any, Any]] = report.summary().dropna(subset=["dead"]).to_dict("records")
    for row in rows:
        if row["not_finite"]:
            message = f"{row['not_finite']} of {row['units']} units are not finite"
        elif row["dead"] > WORTH_MENTIONING * row["units"]:
            message = f"{row['dead']} of {row['units']} units are dead"
        else:
            continue
        title = _escaped(f"Dead units in {row['layer']}").replace(":", "%3A").replace(",", "%2C")
        commands.append(f"::warning title={title}::{_escaped(message)}")
    return commands


def in_github_actions() -> bool:
    """Tell whether this is a step of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


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
