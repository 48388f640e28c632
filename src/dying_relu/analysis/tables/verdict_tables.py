"""The verdict on each claim, and the rules that the verdicts follow."""

from pathlib import Path

import pandas as pd

from dying_relu.analysis import claims, latex
from dying_relu.analysis.numbers.verdicts import estimate
from dying_relu.analysis.tables.tabular import tabular


def verdicts(results_folder: Path, configuration_path: Path) -> str:
    """A row a claim: what the post says, the verdict, the effect with its interval, the number of networks."""
    rows = [
        {
            "Claim": row["claim"],
            "The post says": _sentence(row["statement"]),
            "Verdict": latex.escape(row["verdict"]),
            "Effect (interval)": estimate(row),
            "Networks": latex.number(row["n"]) if row["n"] else "--",
        }
        for row in claims.read(results_folder / "claims.csv").to_dict("records")
    ]
    column = r">{\raggedright\arraybackslash}p"
    return tabular(pd.DataFrame(rows), rf"@{{}}l{column}{{2.4in}}{column}{{1.2in}}{column}{{1.4in}}r@{{}}")


def rules(results_folder: Path, configuration_path: Path) -> str:
    """A description list: of each claim what the effect measures and the rule of its verdict."""
    items = [
        rf"\item[{row['claim']}] \emph{{Effect:}} {_text(row['measure'])}. \emph{{Rule:}} {_text(row['rule'])}"
        rf" \emph{{Experiments:}} {_text(row['experiment'])}."
        for row in claims.read(results_folder / "claims.csv").to_dict("records")
    ]
    return "\\begin{description}\n" + "\n".join(items) + "\n\\end{description}\n"


def _sentence(text: str) -> str:
    return latex.escape(f"{text}.")


def _text(text: str) -> str:
    return latex.escape(text)
