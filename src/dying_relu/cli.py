"""The command ``dying-relu``: every command that a person types and every one that a rule of the workflow calls."""

import gc
import logging
import sys
import warnings
from importlib import metadata
from typing import Annotated, NoReturn

import typer

from dying_relu import deprecated
from dying_relu.commands import analysis, paper, probe, reference, study
from dying_relu.commands.options import PEOPLE, RULES
from dying_relu.commands.warm import client
from dying_relu.errors import DyingReluError, missing_package

__all__ = ["PEOPLE", "RULES", "STUDY_PACKAGES", "app", "main"]

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
# In the order in which the help lists them.
for group in (probe, study, analysis, paper, reference):
    app.registered_commands += group.app.registered_commands


def main() -> None:
    """Run the command line, in a fork of the warm process if a workflow has started one (:mod:`dying_relu.commands.warm`)."""
    try:
        status = client.run(sys.argv)
    except DyingReluError as error:
        _stop(error)
    if status is not None:
        client.end(status)
    run()


def serve(listener: int) -> None:
    """Be the warm process, or the command in a fork of it; see :func:`dying_relu.commands.warm.server.serve`."""
    from dying_relu.commands.warm import server

    if server.serve(listener):
        run()


def run() -> None:
    """Run the command line in this process; a mistake that a person can mend becomes one message and exit status 1."""
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
    finally:
        # Python's last garbage collections need not walk through all of PyTorch's objects, which takes 0.3 s.
        gc.freeze()


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


if __name__ == "__main__":
    main()
