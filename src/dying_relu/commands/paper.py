"""Commands that typeset and pack the paper."""

from pathlib import Path
from typing import Annotated

import typer

from dying_relu.commands.options import DEFAULT_CONFIG, PEOPLE, RULES, Config, Results

app = typer.Typer()


@app.command(rich_help_panel=RULES)
def typeset(
    generated: Annotated[Path, typer.Option(help="Folder with the study's figures, tables and numbers.tex.")],
    out: Annotated[Path, typer.Option(help="PDF file to write.")],
    paper: Annotated[Path, typer.Option(help="Folder with main.tex.")] = Path("paper"),
) -> None:
    """Typeset the paper."""
    from dying_relu.paper import typeset as latex

    latex.typeset(paper, generated, out)


@app.command(rich_help_panel=RULES)
def archive(
    results: Results,
    generated: Annotated[Path, typer.Option(help="Folder with the study's figures, tables and numbers.tex.")],
    out: Annotated[Path, typer.Option(help="Folder to write.")],
    config: Config = DEFAULT_CONFIG,
    paper: Annotated[Path, typer.Option(help="Folder with main.tex.")] = Path("paper"),
) -> None:
    """Pack the paper's source, ready for arXiv, and the study's results, with checksums."""
    from dying_relu.paper import archive as bundles

    bundles.archive(paper, generated, results, config, out)


@app.command(rich_help_panel=PEOPLE)
def check_latex() -> None:
    """Check whether LaTeX can typeset the paper here, and list the packages it lacks."""
    from dying_relu.paper import latex

    latex.check()
