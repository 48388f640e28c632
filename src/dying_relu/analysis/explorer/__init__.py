"""The explorer: one page that shows a study's verdicts and lets a reader filter its networks, offline and in any browser."""

from pathlib import Path

from dying_relu.analysis.claims.settle import everything
from dying_relu.analysis.explorer import charts, networks, page, verdict_table
from dying_relu.analysis.study_results import StudyResults
from dying_relu.files.atomic import atomic_path


def write(results: Path, out: Path) -> None:
    """Write the explorer of a study; the same tables give the same bytes.

    Args:
        results: folder with the study's tables and its verdicts.
        out: HTML file to write.

    Raises:
        DyingReluError: a table or the verdicts are missing or damaged.
    """
    study = StudyResults(results)
    shown = networks.of_study(study)
    text = page.html(results.name, everything(study), shown, charts.specification(shown))
    with atomic_path(out) as scratch:
        scratch.write_text(text, encoding="utf-8")


def write_verdicts(results: Path, out: Path, part: Path | None = None) -> None:
    """Write the verdicts of a study as a page of their own, for the workflow's report.

    Args:
        results: folder with the study's verdicts.
        out: HTML file to write.
        part: HTML file to write with the tables alone, to be put into another page; None: none.

    Raises:
        DyingReluError: the verdicts are missing or damaged.
    """
    verdicts = everything(StudyResults(results))
    texts = {out: page.verdicts_alone(results.name, verdicts)}
    if part is not None:
        texts[part] = verdict_table.tables(verdicts)
    for path, text in texts.items():
        with atomic_path(path) as scratch:
            scratch.write_text(text, encoding="utf-8")
