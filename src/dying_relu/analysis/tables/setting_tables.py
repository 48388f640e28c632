"""Every setting of a study, from its configuration."""

from pathlib import Path

import pandas as pd
from pydantic import BaseModel

from dying_relu import configuration
from dying_relu.analysis import latex
from dying_relu.analysis.tables.tabular import tabular
from dying_relu.configuration import Activation, Experiment

COLUMNS = r"@{}>{\raggedright}p{1.35in}>{\raggedright\arraybackslash}p{4.9in}@{}"

TOGETHER = "\\smallskip\\noindent\\begin{{minipage}}{{\\textwidth}}\n{}\n\\end{{minipage}}\\par\n"
"""An experiment stays on one page."""


def experiments(results_folder: Path, configuration_path: Path) -> str:
    """For each experiment a paragraph: its name, its question, its factors with their levels."""
    settings = configuration.load(configuration_path)
    parts = []
    for name, experiment in settings.experiments.items():
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
        rf"\emph{{{latex.escape(_words(key))}:}} {', '.join(map(_level, levels))}"
        for key, levels in rows.items()
    ]
    return "; ".join(factors) + "."


def shared(results_folder: Path, configuration_path: Path) -> str:
    """A row a key: what all experiments of the study share."""
    settings = configuration.load(configuration_path)
    rows = {"study": _level(settings.study), "seed": _level(settings.seed), "device": _level(settings.device)}
    for section in ("datasets", "architectures", "optimisers"):
        for name, block in getattr(settings, section).items():
            rows[f"{section}: {name}"] = _block(block)
    for section in ("training", "measuring"):
        rows[section] = _block(getattr(settings, section))
    return _table("Key", "Value", rows)


def _block(block: BaseModel) -> str:
    items = [(key, value) for key, value in block.model_dump().items() if value is not None]
    return "; ".join(f"{latex.escape(_words(key))} {_level(value)}" for key, value in items)


def _level(level: object) -> str:
    """A level of a factor, or a value of a key, as LaTeX."""
    if isinstance(level, Activation):
        slope = "" if level.slope is None else f" {latex.number(level.slope)}"
        return latex.escape(latex.name(level.name)) + slope
    if isinstance(level, bool):
        return "yes" if level else "no"
    if isinstance(level, int | float):
        return latex.number(level)
    if isinstance(level, tuple):
        return ", ".join(map(_level, level))
    return latex.escape(latex.name(str(level)))


def _table(key: str, value: str, rows: dict[str, str]) -> str:
    table = pd.DataFrame({key: [latex.escape(_words(row)) for row in rows], value: list(rows.values())})
    return tabular(table, COLUMNS)


def _words(key: str) -> str:
    return key.replace("_", " ")
