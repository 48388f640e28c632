"""The macros of a study, and their two files: ``numbers.json`` for programs, ``numbers.tex`` for the paper."""

import json
from pathlib import Path

from dying_relu.analysis.numbers.data import data
from dying_relu.analysis.numbers.laws import laws
from dying_relu.analysis.numbers.macro import Macro
from dying_relu.analysis.numbers.provenance import provenance
from dying_relu.analysis.numbers.scale import scale
from dying_relu.analysis.numbers.sensitivity import sensitivity
from dying_relu.analysis.numbers.validation import validation
from dying_relu.analysis.numbers.verdicts import verdicts
from dying_relu.errors import DyingReluError
from dying_relu.files import atomic
from dying_relu.results import provenance as records

HEADER = "% Written by `dying-relu numbers`; every number of the paper's text. Do not edit: run the study instead.\n"


def collect(results_folder: Path, configuration_path: Path) -> dict[str, Macro]:
    """Every macro by its name (letters only), from the tables and verdicts of a study and its configuration."""
    groups = (
        provenance(results_folder),
        scale(results_folder, configuration_path),
        validation(results_folder),
        laws(results_folder),
        verdicts(results_folder),
        data(results_folder),
        sensitivity(results_folder),
    )
    return {name: macro for group in groups for name, macro in group.items()}


def write(results_folder: Path, configuration_path: Path, *outs: Path) -> None:
    """Write the macros of a study to each of ``outs``, as JSON or as LaTeX by its suffix.

    Raises:
        DyingReluError: a suffix is neither ``.json`` nor ``.tex``, the configuration is not the study's, or a table is missing, damaged,
            or not the one that was recorded.
    """
    writers = {".json": as_json, ".tex": as_latex}
    for out in outs:
        if out.suffix not in writers:
            raise DyingReluError(f"cannot write numbers to {out}", expected="a .json or a .tex file")
    records.require_configuration(results_folder, configuration_path)
    records.check(results_folder)
    macros = collect(results_folder, configuration_path)
    for out in outs:
        with atomic.atomic_path(out) as beside:
            beside.write_text(writers[out.suffix](macros), encoding="utf-8")


def as_json(macros: dict[str, Macro]) -> str:
    """The values by name; null for what the study does not have."""
    values = {name: macro.value for name, macro in macros.items()}
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_latex(macros: dict[str, Macro]) -> str:
    r"""One ``\newcommand`` a macro."""
    return HEADER + "".join(rf"\newcommand\{name}{{{macro.latex}}}" + "\n" for name, macro in macros.items())
