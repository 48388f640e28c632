"""The claims of the source post, each settled by a verdict that is a function of the tables.

Each claim is a module, ``c01_relu`` to ``c13_lower_rate``: a small function with its rule in words, whose thresholds are in
:mod:`dying_relu.analysis.thresholds`. The rules were written before the published study was run; what was changed after data had been
seen is named in the rule. To add a claim, add a module with a function that is decorated with
:func:`~dying_relu.analysis.claims.verdict.claim`; the table of verdicts and the paper's macros follow. It may as well be an extension
(:mod:`dying_relu.extensions`).
"""

from dying_relu.analysis.claims.settle import COLUMNS, ordered, read, settle, settled_by, verdicts, write
from dying_relu.analysis.claims.verdict import (
    LIMITED,
    NOT_ENOUGH_DATA,
    REFUTED,
    SUPPORTED,
    VERDICTS,
    Claim,
    Finding,
)

__all__ = [
    "COLUMNS",
    "LIMITED",
    "NOT_ENOUGH_DATA",
    "REFUTED",
    "SUPPORTED",
    "VERDICTS",
    "Claim",
    "Finding",
    "ordered",
    "read",
    "settle",
    "settled_by",
    "verdicts",
    "write",
]
