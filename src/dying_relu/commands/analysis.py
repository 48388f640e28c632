"""Commands that turn a study's tables into verdicts, pages, figures, tables and numbers."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from dying_relu.commands.options import DEFAULT_CONFIG, PEOPLE, RULES, Config, Results

app = typer.Typer()


@app.command(rich_help_panel=RULES)
def claims(
    results: Results,
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
) -> None:
    """Settle the source post's claims with the study's tables."""
    from dying_relu.analysis import claims as verdicts

    verdicts.write(verdicts.settle(results), out)


@app.command(rich_help_panel=PEOPLE)
def explorer(
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    results: Results = Path("results/default"),
) -> None:
    """Write a page to explore a study with: verdicts, phase diagram, networks and their layers."""
    from dying_relu.analysis import explorer as pages

    pages.write(results, out)


@app.command(rich_help_panel=RULES)
def verdicts(
    results: Results,
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    part: Annotated[
        Path | None, typer.Option(help="HTML file for the tables alone, for another page.")
    ] = None,
) -> None:
    """Write the verdicts as a page of their own."""
    from dying_relu.analysis import explorer as pages

    pages.write_verdicts(results, out, part)


@app.command(rich_help_panel=PEOPLE)
def verify(
    results: Results = Path("results/default"),
    published: Annotated[Path, typer.Option(help="Folder of the published study.")] = Path(
        "results/published"
    ),
    cells: Annotated[bool, typer.Option("--cells", help="Print the settings that disagree, too.")] = False,
) -> None:
    """Compare a study with the published one, in a line; exit status 1 if a conclusion differs."""
    from rich.console import Console

    from dying_relu.analysis import verify as verifying
    from dying_relu.results import provenance

    provenance.check(published)
    verification = verifying.verify(results, published)
    verifying.show(verification, Console(), cells)
    if not verification.conclusions_agree:
        sys.exit(1)


@app.command(rich_help_panel=RULES)
def figure(
    name: Annotated[str, typer.Argument(help="Figure, such as phase_diagram.")],
    results: Results,
    out: Annotated[Path, typer.Option(help="PDF file to write; a PNG goes beside it.")],
) -> None:
    """Draw a figure of the paper."""
    import gc

    from dying_relu.analysis import figures

    # The process ends with the figure, and looking for what it no longer needs takes a tenth of its time.
    gc.disable()
    figures.draw(name, results, out)


@app.command(rich_help_panel=RULES)
def tables(
    results: Results,
    out: Annotated[Path, typer.Option(help="Folder to write the LaTeX tables to.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Write the paper's tables."""
    from dying_relu.analysis import tables as paper_tables

    paper_tables.write(results, config, out)


@app.command(rich_help_panel=RULES)
def numbers(
    results: Results,
    out: Annotated[
        list[Path], typer.Option(help="A .json or .tex file to write; may be given several times.")
    ],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Write every number in the paper's text."""
    from dying_relu.analysis import numbers as paper_numbers

    paper_numbers.write(results, config, *out)
