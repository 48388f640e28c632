"""The macros of a study, and their two files: ``numbers.json`` for programs, ``numbers.tex`` for the paper."""

import json
from pathlib import Path

from dying_relu.analysis.entries import NUMBERS
from dying_relu.analysis.numbers.macro import Macro
from dying_relu.analysis.study_results import StudyResults
from dying_relu.errors import DyingReluError
from dying_relu.files import atomic

HEADER = "% Written by `dying-relu numbers`; every number of the paper's text. Do not edit: run the study instead.\n"


def collect(study: StudyResults) -> dict[str, Macro]:
    """Every macro by its name (letters only), from the tables and verdicts of a study and its configuration."""
    groups = (NUMBERS.load(name).numbers(study) for name in NUMBERS.names())
    return {name: macro for group in groups for name, macro in group.items()}


def write(results_folder: Path, configuration_path: Path, *outs: Path) -> None:
    """Write the macros of a study to each of ``outs``, as JSON or as LaTeX by its suffix.

    Args:
        results_folder: of the study.
        configuration_path: the study's YAML file.
        outs: the files to write.

    Raises:
        DyingReluError: a suffix is neither ``.json`` nor ``.tex``, the configuration is not the study's, or a table is missing, damaged,
            or not the one that was recorded.
    """
    writers = {".json": as_json, ".tex": as_latex}
    for out in outs:
        if out.suffix not in writers:
            raise DyingReluError(f"cannot write numbers to {out}", expected="a .json or a .tex file")
    study = StudyResults(results_folder, configuration_path)
    study.require_configuration()
    study.require_recorded_tables()
    macros = collect(study)
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
