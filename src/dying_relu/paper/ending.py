"""The words at the end of a run: what it made, and what a reader may do next."""

from collections.abc import Collection
from pathlib import Path

from dying_relu.errors import DyingReluError


def summary(folder: Path, rules: Collection[str], option: str = "") -> str:
    """Say what came of a run of the workflow.

    Args:
        folder: the study's results.
        rules: names of the rules whose outputs were asked for; nothing is said of others.
        option: of Snakemake, that names the study's file; empty for the default study.

    Returns:
        A line for the paper, one for the verdicts, and lines for what may be done next; "" if none of them was asked for.
    """
    paper, verdicts, page = (folder / name for name in ("paper.pdf", "claims.csv", "explorer.html"))
    lines = []
    if "typeset" in rules and paper.is_file():
        lines.append(f"Paper:     {paper}")
    if "settle" in rules and verdicts.is_file():
        lines.append(f"Verdicts:  {_counted(verdicts)} ({verdicts})")
    if not lines:
        return ""
    # Targets first: an option of Snakemake takes all words that follow it.
    if "explorer" in rules and page.is_file():
        lines.append(f"Explore:   open {page} in a browser")
    lines.append(f"Report:    {_command('--report report.html', option)}")
    lines.append(f"Verify:    {_command('verify', option)} (compares with the published study)")
    return "\n".join(lines)


def _counted(verdicts: Path) -> str:
    # Here, because the workflow's file imports this one whenever Snakemake starts.
    from dying_relu.analysis import claims, readme

    try:
        return readme.summary(claims.on_claims(claims.read(verdicts))).rstrip(".")
    except DyingReluError:
        # The run is over and did what it should; whoever reads the file next is told.
        return "not readable"


def _command(words: str, option: str) -> str:
    return " ".join(part for part in ("snakemake", words, option) if part)
