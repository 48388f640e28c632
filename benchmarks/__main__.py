"""The command ``python -m benchmarks``; run it in the project's folder, on a machine that does nothing else."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from dying_relu.errors import DyingReluError

app = typer.Typer(
    help="How fast this machine trains many small networks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Out = Annotated[Path, typer.Option(help="Folder to write to.")]
DEFAULT_OUT = Path("results/benchmarks")
PUBLISHED = Path("results/published/performance")
Quick = Annotated[bool, typer.Option(help="Fewer cases, stacks and rounds.")]
Against = Annotated[
    Path | None,
    typer.Option(
        help="Another source tree, such as a checkout of an earlier commit, to measure its engine beside."
    ),
]


def main() -> None:
    """Run the command line."""
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("benchmarks").setLevel(logging.INFO)
    try:
        app()
    except DyingReluError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


@app.command()
def engine(
    out: Out = DEFAULT_OUT,
    quick: Quick = False,
    precision: Annotated[
        list[str] | None,
        typer.Option(help="float32 or bf16; by default float32, and bf16 where its products are faster."),
    ] = None,
    against: Against = None,
) -> None:
    """Compare the ways of training: the usual loop, torch.func, JAX and ours, also on the default study's networks."""
    from benchmarks import engine as comparison
    from benchmarks import figures, paper, side_by_side
    from benchmarks.contestants import FULL, QUICK, with_study
    from dying_relu.analysis.figures import style
    from dying_relu.files.atomic import atomic_path

    scope = with_study(QUICK if quick else FULL)
    result = comparison.run(scope, out, precision or (), against)
    style.save(figures.engine(result.table), out / "engine.pdf")
    with atomic_path(out / "engine.tex") as file:
        file.write_text(paper.engine_tex(result.table), encoding="utf-8")
    print("Thousands of samples per second, all processes together; the last columns are of ours.")
    print(side_by_side.text(side_by_side.side_by_side(result.table)))
    if not result.not_run.empty:
        print("\nNot run:")
        print(result.not_run.drop_duplicates(["method", "reason"]).to_string(index=False))


@app.command(name="all")
def everything(
    out: Out = DEFAULT_OUT,
    quick: Quick = False,
    against: Against = None,
) -> None:
    """Measure the engine, a whole study, the cost of measuring and the probe, one after the other: what `make bench` does."""
    from benchmarks import measuring as costs

    print("# The engine beside its peers\n")
    engine(out, quick, None, against)
    print("\n# A whole study beside one job per network\n")
    end_to_end(out, networks=100 if quick else 1000)
    print("\n# Measuring, in the default study\n")
    if missing := costs.missing_images():
        print(f"Not run: no {', '.join(str(path) for path in missing)}; `snakemake data` gets them.")
    else:
        measuring(out)
    if against:
        print("\n# From data to PDF, beside the other tree\n")
        data_to_pdf(against, out)
    print("\n# The probe beside others\n")
    probes(out, rounds=3 if quick else 9)


@app.command()
def scaling(out: Out = DEFAULT_OUT) -> None:
    """Show what a network costs, beside its training, in studies of 100 to 10,000 networks."""
    from benchmarks import figures
    from benchmarks import scaling as cost_curve
    from dying_relu.analysis.figures import style

    table = cost_curve.run(out)
    style.save(figures.scaling(table), out / "scaling.pdf")
    print(table.to_string(index=False, float_format="{:.3g}".format))


@app.command()
def million(out: Out = DEFAULT_OUT) -> None:
    """Plan and aggregate a study of a million networks that is not trained: time and memory of each stage."""
    from benchmarks import million as huge

    print(huge.run(out).to_string(index=False, float_format="{:.3g}".format))


@app.command()
def probes(
    out: Out = DEFAULT_OUT,
    rounds: Annotated[int, typer.Option(help="How often each is timed.")] = 9,
    quick: Annotated[
        bool, typer.Option(help="One round: what each method finds, and a rough idea of its cost.")
    ] = False,
) -> None:
    """Compare the probe with others: which dead units they find, and what they cost."""
    from benchmarks import probes as comparison

    print(comparison.markdown(comparison.run(out, 1 if quick else rounds)))


@app.command()
def measuring(out: Out = DEFAULT_OUT) -> None:
    """Show the cost of the default study's measurements, beside its training."""
    from benchmarks import measuring as costs

    table = costs.run(out)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    print(costs.shares(table))


@app.command()
def end_to_end(
    out: Out = DEFAULT_OUT,
    networks: Annotated[int, typer.Option(help="Networks in the study, a multiple of 100.")] = 200,
    sample: Annotated[int, typer.Option(help="Jobs of one network that are really run.")] = 8,
    case: Annotated[str, typer.Option(help="mlp-sgd-relu or cnn-sgd-relu.")] = "mlp-sgd-relu",
) -> None:
    """Run a whole study through the workflow, beside one job per network measured on a sample of jobs."""
    from benchmarks import end_to_end as whole_study

    table = whole_study.run(out, networks, sample, case)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    print(whole_study.summary(table))


@app.command()
def data_to_pdf(
    against: Annotated[Path, typer.Option(help="An earlier source tree, whose default study is run.")],
    out: Out = DEFAULT_OUT,
    replicates: Annotated[int, typer.Option(help="Of every setting; the study has more.")] = 1,
    rounds: Annotated[int, typer.Option(help="How often each tree is timed.")] = 1,
) -> None:
    """Run an earlier tree's default study, with fewer replicates, from data to PDF: with that tree and with this one."""
    from benchmarks import data_to_pdf as whole_study

    print(whole_study.summary(whole_study.run(out, against, replicates, rounds)))


@app.command()
def readme(
    folder: Annotated[Path, typer.Option(help="Folder that the benchmarks wrote to.")] = PUBLISHED,
) -> None:
    """Print the README's sentence on speed."""
    from benchmarks.readme_line import readme_line

    print(readme_line(folder))


@app.command()
def performance(
    folder: Annotated[Path, typer.Option(help="What the benchmarks wrote.")] = DEFAULT_OUT,
    out: Annotated[Path, typer.Option(help="LaTeX file to write.")] = DEFAULT_OUT / "performance.tex",
) -> None:
    """Write what the paper shows of the benchmarks."""
    from benchmarks import paper
    from dying_relu.files.atomic import atomic_path

    with atomic_path(out) as beside:
        beside.write_text(paper.performance(folder), encoding="utf-8")


if __name__ == "__main__":
    main()
