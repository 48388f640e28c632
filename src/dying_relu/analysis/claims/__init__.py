"""The claims of the source post, each settled by a verdict that is a function of the tables.

Each claim is a module, ``c01_relu`` to ``c13_lower_rate``: a small function with its rule in words, as ``paper/plan.md`` has it, whose
thresholds are in :mod:`dying_relu.analysis.thresholds`. To add a claim, add a module with a function that is decorated with
:data:`~dying_relu.analysis.claims.verdict.claim`; the table of verdicts and the paper's macros follow. It may as well be an extension
(:mod:`dying_relu.extensions`).
"""

from dying_relu.analysis.claims.settle import (
    COLUMNS,
    everything,
    findings,
    on_claims,
    on_findings,
    ordered,
    ordered_findings,
    read,
    settle,
    settled_by,
    verdicts,
    write,
)
from dying_relu.analysis.claims.verdict import Claim, Finding, Reading
from dying_relu.analysis.inference.decisions import (
    DOES_NOT_HOLD,
    HOLDS,
    HOLDS_ONLY_IF,
    NOT_SETTLED,
    VERDICTS,
)

__all__ = [
    "COLUMNS",
    "DOES_NOT_HOLD",
    "HOLDS",
    "HOLDS_ONLY_IF",
    "NOT_SETTLED",
    "VERDICTS",
    "Claim",
    "Finding",
    "Reading",
    "everything",
    "findings",
    "on_claims",
    "on_findings",
    "ordered",
    "ordered_findings",
    "read",
    "settle",
    "settled_by",
    "verdicts",
    "write",
]
