"""The settings that all experiments share, from the configuration."""

from pydantic import BaseModel

from dying_relu.analysis import latex
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.configured import level, spaced

GROUPS = ("datasets", "architectures", "optimisers", "inputs", "interventions")
SECTIONS = ("training", "measuring")
ALWAYS = ("kind",)
"""Shown even where it has its default."""


def table(study: StudyResults) -> str:
    """A description list: of each part of the configuration its entries, with the values that are not the defaults."""
    settings = study.configuration
    shared = {"study": f"{level(settings.study)}, seed {settings.seed}, device {level(settings.device)}"}
    groups = {
        group: "; ".join(_entry(name, block) for name, block in getattr(settings, group).items())
        for group in GROUPS
    }
    sections = {section: _values(getattr(settings, section).model_dump()) for section in SECTIONS}
    lines = [rf"\item[{name}] {item}." for name, item in (shared | groups | sections).items() if item]
    return "\\begin{description}\n" + "\n".join(lines) + "\n\\end{description}\n"


def _entry(name: str, block: BaseModel) -> str:
    differing = block.model_dump(exclude_defaults=True)
    values = {key: value for key, value in block.model_dump().items() if key in differing or key in ALWAYS}
    return rf"\emph{{{latex.escape(spaced(name))}}} ({_values(values)})"


def _values(values: dict[str, object]) -> str:
    present = {key: value for key, value in values.items() if value not in (None, ())}
    return ", ".join(f"{latex.escape(spaced(key))} {level(value)}" for key, value in present.items())
