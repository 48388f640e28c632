"""Every claim of the source post, settled: a verdict that is a function of the tables.

Each claim has one small function with its rule in words; thresholds are named constants beside it. The rules were
written before the published study was run; what was changed after data had been seen is named in the rule. To add a claim, write
such a function in the module it belongs to and decorate it with
:func:`~dying_relu.analysis.claims.verdict.claim`; the table of verdicts and the paper's macros follow.
"""

from dying_relu.analysis.claims.settle import COLUMNS, ordered, read, settle, write
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
    "write",
]
