"""Commands that find dead units in a model of one's own, and compare reports of it."""

from pathlib import Path
from typing import Annotated

import typer

from dying_relu import deprecated
from dying_relu.commands.options import PEOPLE
from dying_relu.errors import DyingReluError

app = typer.Typer()


@app.command(rich_help_panel=PEOPLE)
def probe(
    model: Annotated[str, typer.Argument(help="package.module:object, a model or a function that makes it.")],
    data: Annotated[
        str, typer.Option(help="package.module:object, batches or a function that makes a loader.")
    ],
    weights: Annotated[Path | None, typer.Option(help="File of weights to load into the model.")] = None,
    key: Annotated[
        str | None, typer.Option(help="Where the weights lie in the file, with dots; default: a usual key.")
    ] = None,
    prefix: Annotated[
        str | None,
        typer.Option(help="What stands before every name in the file; default: what wrappers add."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="Where to run the model, such as cuda.")] = None,
    batches: Annotated[int | None, typer.Option(min=1, help="Batches to run; default: all.")] = None,
    unit_axis: Annotated[
        list[str] | None,
        typer.Option(help="Axis of the units, such as 1 or 0,1, or layer=1 for one layer; repeatable."),
    ] = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(help="Only these layers, names or patterns such as 'encoder.*'; repeatable."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Leave these layers out; repeatable.")] = None,
    activations: Annotated[
        list[str] | None,
        typer.Option(
            help="Modules or functions whose output is an activation, such as encoder:exp; repeatable."
        ),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Page to write.")] = None,
    json: Annotated[
        Path | None, typer.Option(help="JSON file to write; dying-relu compare reads it.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Markdown file to write, for a pull request's comment or summary.")
    ] = None,
    github: Annotated[
        bool, typer.Option(help="Annotate the run of GitHub Actions; by default where it is one.")
    ] = False,
    fail_above: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Exit with status 1 if more than this share of the units is dead, or one is not finite.",
        ),
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Find the dead units of a PyTorch model of yours."""
    from dying_relu.probing import command, console

    if checkpoint is not None:
        deprecated.warn("dying-relu probe --checkpoint", "dying-relu probe --weights", stacklevel=2)
        if weights is not None:
            raise DyingReluError(
                "the file of weights",
                found="--weights and --checkpoint",
                expected="one of them",
                remedy="leave out --checkpoint, the old name of --weights",
            )
        weights = checkpoint
    network = command.network(model, weights, key, prefix, device)
    report = command.probed(network, command.named(data), batches, unit_axis, layers, ignore, activations)
    console.show(report)
    command.write(report, html, json, markdown)
    if github or console.in_github_actions():
        print(*console.annotations(report, fail_above), sep="\n")
    if fail_above is not None:
        console.require_healthy(report, fail_above)


@app.command(rich_help_panel=PEOPLE)
def compare(
    before: Annotated[
        Path, typer.Argument(help="Report that dying-relu probe --json or report.save() wrote.")
    ],
    after: Annotated[Path, typer.Argument(help="A later one of the same model.")],
    html: Annotated[Path | None, typer.Option(help="Page to write.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Markdown file to write.")] = None,
) -> None:
    """Compare two reports of a model: which units died, which are alive again."""
    from dying_relu.probing import command

    print(command.compared(before, after, html, markdown))
