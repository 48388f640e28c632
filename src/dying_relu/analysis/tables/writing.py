"""All tables of a study, each to its own file."""

from pathlib import Path

from dying_relu.analysis.entries import TABLES
from dying_relu.analysis.study_results import StudyResults
from dying_relu.files import atomic


def names() -> tuple[str, ...]:
    """The names of the tables, those of extensions at the end."""
    return tuple(TABLES.names())


def latex_of(name: str, results_folder: Path, configuration_path: Path) -> str:
    """Make one table of a study.

    Args:
        name: of the table.
        results_folder: of the study.
        configuration_path: the study's YAML file.

    Raises:
        DyingReluError: there is no such table, or what it needs is missing or damaged.
    """
    return str(TABLES.load(name).table(StudyResults(results_folder, configuration_path)))


def write(results_folder: Path, configuration_path: Path, out: Path) -> None:
    """Write every table of a study as ``<name>.tex`` into the folder ``out``, which is replaced as a whole.

    Args:
        results_folder: of the study.
        configuration_path: the study's YAML file.
        out: the folder to write.

    Raises:
        DyingReluError: the configuration is not the study's, or a table is missing or damaged.
    """
    study = StudyResults(results_folder, configuration_path)
    study.require_configuration()
    texts = {name: TABLES.load(name).table(study) for name in names()}
    with atomic.atomic_path(out) as beside:
        beside.mkdir()
        for name, text in texts.items():
            (beside / f"{name}.tex").write_text(text, encoding="utf-8")
