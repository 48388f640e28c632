"""All tables of a study, each to its own file."""

from collections.abc import Callable
from pathlib import Path

from dying_relu.analysis.tables import (
    death_table,
    remedy_table,
    sensitivity_tables,
    setting_tables,
    threshold_table,
    validation_table,
    verdict_tables,
)
from dying_relu.files import atomic
from dying_relu.results import provenance

TABLES: dict[str, Callable[[Path, Path], str]] = {
    "verdicts": verdict_tables.verdicts,
    "claims_rules": verdict_tables.rules,
    "validation": validation_table.validation,
    "rates": threshold_table.rates,
    "deaths": death_table.deaths,
    "remedies": remedy_table.remedies,
    "definitions": sensitivity_tables.definitions,
    "examples": sensitivity_tables.examples,
    "settings": setting_tables.experiments,
    "study": setting_tables.shared,
}
"""Name -> (folder of results, configuration) -> LaTeX. To add a table, add its function here and \\input it."""


def write(results_folder: Path, configuration_path: Path, out: Path) -> None:
    """Write every table of the study as ``<name>.tex`` into the folder ``out``, which is replaced as a whole.

    Raises:
        DyingReluError: the configuration is not the study's, or a table is missing or damaged.
    """
    provenance.require_configuration(results_folder, configuration_path)
    texts = {name: make(results_folder, configuration_path) for name, make in TABLES.items()}
    with atomic.atomic_path(out) as beside:
        beside.mkdir()
        for name, text in texts.items():
            (beside / f"{name}.tex").write_text(text, encoding="utf-8")
