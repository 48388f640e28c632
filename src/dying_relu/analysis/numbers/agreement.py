"""The seeds that agree with a claim or finding, counted, as a reader can check them."""

from collections.abc import Mapping, Sequence
from typing import Any

Cells = Sequence[Mapping[str, Any]]


def agreement(cells: Cells) -> str:
    """The number of seeds that agree: from the cell in which fewest do to that in which most do.

    Args:
        cells: of a verdict, as the table of verdicts has them.

    >>> agreement([{"agreeing": 18, "seeds": 20}]), agreement([{"agreeing": 0, "seeds": 20}, {"agreeing": 20, "seeds": 20}])
    ('18 of 20 seeds', '0 to 20 of 20 seeds, 2 cells')
    >>> agreement([{"agreeing": 15, "seeds": 20}, {"agreeing": 15, "seeds": 15}]), agreement([])
    ('15 of 20 to 15 of 15 seeds, 2 cells', 'no seeds')
    """
    if not cells:
        return "no seeds"
    ordered = sorted(cells, key=_share)
    least, most = ordered[0], ordered[-1]
    if len(cells) == 1:
        return f"{least['agreeing']} of {least['seeds']} seeds"
    if least["seeds"] != most["seeds"]:
        ends = f"{least['agreeing']} of {least['seeds']} to {most['agreeing']} of {most['seeds']}"
    elif least["agreeing"] == most["agreeing"]:
        ends = f"{least['agreeing']} of {least['seeds']}"
    else:
        ends = f"{least['agreeing']} to {most['agreeing']} of {most['seeds']}"
    return f"{ends} seeds, {len(cells)} cells"


def _share(cell: Mapping[str, Any]) -> float:
    return cell["agreeing"] / cell["seeds"] if cell["seeds"] else 0.0
