"""The grid of every experiment, from the configuration."""

from dying_relu.analysis import latex
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.configured import level, spaced
from dying_relu.configuration import Experiment

TOGETHER = "\\smallskip\\noindent\\begin{{minipage}}{{\\textwidth}}\n{}\n\\end{{minipage}}\\par\n"
"""An experiment stays on one page."""


def table(study: StudyResults) -> str:
    """For each experiment a paragraph: its name, its question, its factors with their levels."""
    parts = []
    for name, experiment in study.configuration.experiments.items():
        heading = rf"\textbf{{{latex.escape(name)}}}\enspace {latex.escape(experiment.question)}"
        parts.append(TOGETHER.format(f"{heading} {_experiment(experiment)}"))
    return "\n".join(parts)


def _experiment(experiment: Experiment) -> str:
    rows = {factor: getattr(experiment.grid, factor) for factor in type(experiment.grid).model_fields}
    rows["replicates"] = (experiment.replicates,)
    own = experiment.model_dump(exclude={"question", "claims", "replicates", "grid"}, exclude_defaults=True)
    rows |= {key: (value,) for key, value in own.items()}
    if experiment.claims:
        rows["claims"] = experiment.claims
    factors = [
        rf"\emph{{{latex.escape(spaced(key))}:}} {', '.join(map(level, entries))}"
        for key, entries in rows.items()
    ]
    return "; ".join(factors) + "."
