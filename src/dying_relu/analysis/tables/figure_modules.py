"""The module that draws each figure."""

from dying_relu.analysis import latex
from dying_relu.analysis.entries import FIGURES
from dying_relu.analysis.study_results import StudyResults


def table(study: StudyResults) -> str:
    """A description list: of each figure its module, and the tables that it is drawn from."""
    del study
    items = []
    for name, module in FIGURES.names().items():
        tables = latex.escape(", ".join(FIGURES.constant(name, "TABLES")))
        items.append(
            rf"\item[\cref{{fig:{name}}}] \path{{src/{module.replace('.', '/')}.py}}, from the tables {tables}."
        )
    return "\\begin{description}\n" + "\n".join(items) + "\n\\end{description}\n"
