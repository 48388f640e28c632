"""The settings that all experiments share, from the configuration."""

import pandas as pd
from pydantic import BaseModel

from dying_relu.analysis import latex
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables.configured import level, spaced
from dying_relu.analysis.tables.tabular import tabular

COLUMNS = r"@{}>{\raggedright}p{1.35in}>{\raggedright\arraybackslash}p{4.9in}@{}"


def table(study: StudyResults) -> str:
    """A row a key: a setting that all experiments of the study share."""
    settings = study.configuration
    rows = {"study": level(settings.study), "seed": level(settings.seed), "device": level(settings.device)}
    for section in ("datasets", "architectures", "optimisers", "inputs", "interventions"):
        for name, block in getattr(settings, section).items():
            rows[f"{section}: {name}"] = _block(block)
    for section in ("training", "measuring"):
        rows[section] = _block(getattr(settings, section))
    cells = pd.DataFrame({"Key": [latex.escape(spaced(row)) for row in rows], "Value": list(rows.values())})
    return tabular(cells, COLUMNS)


def _block(block: BaseModel) -> str:
    items = [(key, value) for key, value in block.model_dump().items() if value is not None]
    return "; ".join(f"{latex.escape(spaced(key))} {level(value)}" for key, value in items)
