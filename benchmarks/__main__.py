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
    quick: Annotated[bool, typer.Option(help="Fewer cases, stacks and rounds.")] = False,
    precision: Annotated[
        list[str] | None,
        typer.Option(help="float32 or bf16; by default float32, and bf16 where its products are faster."),
    ] = None,
) -> None:
    """Compare the ways of training: the usual loop, torch.func and ours."""
    from benchmarks import engine as comparison
    from benchmarks import figures, paper, tables
    from benchmarks.contestants import FULL, QUICK
    from dying_relu.analysis.figures import style
    from dying_relu.files.atomic import atomic_path

    table = comparison.run(QUICK if quick else FULL, out, precision or ())
    style.save(figures.engine(table), out / "engine.pdf")
    with atomic_path(out / "engine.tex") as beside:
        beside.write_text(paper.table(table), encoding="utf-8")
    print(tables.best(table).to_string(index=False, float_format="{:.3g}".format))


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
) -> None:
    """Compare the probe with others: which dead units they find, and what they cost."""
    from benchmarks import probes as comparison

    print(comparison.markdown(comparison.run(out, rounds)))


@app.command()
def measuring(out: Out = DEFAULT_OUT) -> None:
    """Show what the measurements of the default study cost, beside its training."""
    from benchmarks import measuring as costs

    table = costs.run(out)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    print(f"Measuring takes {costs.of_study(table):.1%} of the time of training.")


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
