"""Commands that write pages of the documentation from the code and the published verdicts."""

from pathlib import Path
from typing import Annotated

import typer

from dying_relu.commands.options import PEOPLE

app = typer.Typer()


@app.command(rich_help_panel=PEOPLE)
def config_docs(
    out: Annotated[Path, typer.Option(help="Folder of the configuration.")] = Path("config"),
) -> None:
    """Write the configuration's schema and its table of keys."""
    from dying_relu.configuration import reference

    reference.write(out)


@app.command(rich_help_panel=PEOPLE)
def table_docs(
    out: Annotated[Path, typer.Option(help="Markdown file to write.")] = Path("docs/tables.md"),
) -> None:
    """Write the reference of the tables' columns."""
    from dying_relu.results import reference

    reference.write(out)


@app.command(rich_help_panel=PEOPLE)
def readme(
    out: Annotated[Path, typer.Option(help="Markdown file that holds the table of verdicts.")] = Path(
        "README.md"
    ),
    verdicts: Annotated[Path, typer.Option(help="CSV file of the published verdicts.")] = Path(
        "results/published/claims.csv"
    ),
) -> None:
    """Write the published verdicts into the README."""
    from dying_relu.analysis import readme as page

    page.write(out, verdicts)
