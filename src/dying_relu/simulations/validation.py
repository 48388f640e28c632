"""Run every check: the table ``validation`` of :mod:`dying_relu.results.schemas`."""

import logging
import time
from pathlib import Path

import pandas as pd

from dying_relu.simulations.checks import EXACT, Check, checks
from dying_relu.simulations.probabilities import Count
from dying_relu.simulations.protocol import TOLERANCE
from dying_relu.simulations.tables import keep

log = logging.getLogger(__name__)


def write(out: Path) -> None:
    """Run every check and write the table to the parquet file ``out``."""
    keep("validation", validate, __name__, out)


def validate() -> pd.DataFrame:
    """Estimate every quantity and compare it with its published value.

    Returns:
        A row a check, see :func:`compared`.
    """
    rows = []
    for check in checks():
        started = time.perf_counter()
        rows.append(compared(check, check.estimate()))
        log.info("%s: %.1f s", check.quantity, time.perf_counter() - started)
    return pd.DataFrame(rows)


def compared(check: Check, count: Count) -> dict[str, object]:
    """Compare an estimate with the values that a check admits.

    Args:
        check: the values.
        count: the trials of the estimate.

    Returns:
        A row of the table: the check, the estimate with its standard error, their difference, and whether they agree.

    The standard error of an estimate of an exact p over T trials is sqrt(p (1 - p) / T); with a reported range, p is the estimate. A
    difference to a range is that to its nearer end, and 0 inside.
    """
    estimate = count.share
    nearest = min(max(estimate, check.low), check.high)
    probability = check.low if check.kind == EXACT else estimate
    standard_error = (probability * (1 - probability) / count.trials) ** 0.5
    return {
        "check": check.name,
        "source": check.source,
        "quantity": check.quantity,
        "kind": check.kind,
        "published": check.published,
        "low": check.low,
        "high": check.high,
        "ours": estimate,
        "standard_error": standard_error,
        "trials": count.trials,
        "difference": estimate - nearest,
        "agrees": abs(estimate - nearest) <= TOLERANCE * standard_error,
    }
