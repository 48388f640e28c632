"""The reference page of the tables, ``docs/tables.md``, generated from the columns' descriptions and the definitions' docstrings."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandera.pandas as pa

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.results.schemas import TABLES
from dying_relu.results.simulation_schemas import SIMULATIONS

DEFINED = (
    "dead",
    "nearly_dead",
    "inactive",
    "saturated",
    "dormant",
    "died",
    "revived",
    "overflowed",
    "outcome",
)
"""Functions of :mod:`dying_relu.units.definitions`, the words that the descriptions use."""

_TYPES = {
    "str": "text",
    "bool": "true or false",
    "boolean": "true or false",
    "int64": "whole number",
    "Int64": "whole number",
    "float64": "number",
    "float32": "number (single precision)",
}

_HEAD = """\
<!-- Written by `dying-relu table-docs` from src/dying_relu/results/schemas.py; edit that. -->
# Tables

`results/<study>/` holds parquet tables, which are checked against the schemas below when they are written and read. Beside each stands
its SHA-256 sum (`sha256sum --check *.sha256`), and `dying-relu provenance FILE` prints what its numbers follow from.

The tables in `results/<study>/shards/` are whole. Those of the study keep what verdicts, figures, tables and pages read
(`src/dying_relu/results/kept.py` says what and why); numbers that are not kept are missing, and two columns of units are rounded.

```python
import pandas as pd

runs = pd.read_parquet("results/default/runs.parquet")
trained = runs[(runs["outcome"] == "trained") & (runs["activation"] == "relu")]  # count wrecks apart
trained.pivot_table("dead_fraction", "initial_bias", ["dataset", "architecture", "learning_rate"])
```

The *training probe set* is the first `measuring.train` examples of the training split, the *test probe set* the first `measuring.test` of
the test split. What is counted on *all* training examples says so.

A *unit* is one output of a hidden layer's non-linearity; of a convolution, a channel with all its positions.

## Words

Defined in `src/dying_relu/units/definitions.py`, and nowhere else; D is a probe set.
"""


def write(out: Path) -> None:
    """Write the page to the file ``out``.

    Raises:
        DyingReluError: its folder is missing.
    """
    if not out.parent.is_dir():
        raise DyingReluError(
            f"there is no folder {out.parent}",
            remedy="run this in a clone of the project, or name the file with --out",
        )
    with atomic_path(out) as scratch:
        scratch.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page, in Markdown."""
    tables = TABLES | SIMULATIONS
    parts = [
        _HEAD,
        *_definitions(),
        *(line for name, schema in tables.items() for line in _table(name, schema)),
    ]
    return "\n".join(parts) + "\n"


def _definitions() -> Iterator[str]:
    """An item a word: the first paragraph of its definition's docstring."""
    from dying_relu.units import definitions

    for word in DEFINED:
        paragraph = getattr(definitions, word).__doc__.split("\n\n")[0]
        yield f"- **{word.replace('_', ' ')}**: {' '.join(paragraph.split()).replace('``', '`')}"
    yield f"- Here tau-dormant is counted with tau = {_listed(definitions.DORMANT_TAUS.values())}."


def _listed(numbers: Iterable[float]) -> str:
    *first, last = [f"{number:g}" for number in numbers]
    return f"{', '.join(first)} and {last}"


def _table(name: str, schema: pa.DataFrameSchema) -> Iterator[str]:
    yield f"\n## {name}\n"
    yield f"A row is {schema.description}. No two rows have the same {', '.join(f'`{key}`' for key in schema.unique)}.\n"
    yield "| column | type | meaning |"
    yield "| --- | --- | --- |"
    for column in schema.columns.values():
        description = column.description if column.required else f"{column.description} Older tables lack it."
        yield f"| `{column.name}` | {_TYPES[str(column.dtype)]} | {description} |"
