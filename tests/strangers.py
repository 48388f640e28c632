"""A study with networks that its rules do not speak of beside those that they do."""

from typing import Any

import pandas as pd
from small_evidence import SmallResults

from dying_relu.analysis.claims.evidence import Evidence

Tables = dict[str, pd.DataFrame]
FOLLOWS = ["verdict", "condition", "effect", "low", "high", "n", "note", "literal", "cells", "details"]
"""The columns of verdicts that follow from the networks."""


def with_strangers(tables: Tables, others: Tables, **changed: Any) -> Evidence:
    """The evidence of a study's ``tables`` and of the networks of ``others``, which have other names and ``changed`` levels."""
    both = dict(tables)
    for name in ("runs", "layers", "units", "activity"):
        strangers = others[name].assign(run="other-" + others[name]["run"].astype(str))
        if name == "runs":
            strangers = strangers.assign(**changed)
        parts = [table for table in (tables[name], strangers) if len(table)]
        both[name] = pd.concat(parts, ignore_index=True) if parts else tables[name]
    return Evidence(SmallResults(both))
