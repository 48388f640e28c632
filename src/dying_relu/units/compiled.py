"""All compiled loops of :mod:`dying_relu.units.reductions`; importing this module imports numba."""

from dying_relu.units.compiled_moments import moments_of_columns, moments_of_rows, sums_of_columns
from dying_relu.units.compiled_scans import scan_blocks, scan_columns, scan_stack

__all__ = [
    "moments_of_columns",
    "moments_of_rows",
    "scan_blocks",
    "scan_columns",
    "scan_stack",
    "sums_of_columns",
]
