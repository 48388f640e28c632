"""Verdicts as the text quotes them."""

import pytest

from dying_relu.analysis.inference.criteria import Above
from dying_relu.analysis.inference.decisions import Cell, decide
from dying_relu.analysis.numbers.verdicts import note

HIGH, LOW = (1.0,) * 20, (0.0,) * 20
EVEN = (0.0, 1.0) * 10
MISSING = float("nan")


@pytest.mark.parametrize(
    ("numbers", "printed"),
    [
        ([HIGH, EVEN], "1 of 2 cells holds, 0 fail, 1 is open"),
        ([HIGH, LOW, EVEN], "1 of 3 cells holds, 1 fails, 1 is open"),
        ([EVEN, EVEN[::-1]], "0 of 2 cells hold, 0 fail, 2 are open"),
        (
            [HIGH, (1.0, *(MISSING,) * 19)],
            "B: only 1 of 20 seeds has a value; 1 of 2 cells holds, 0 fail, 1 is open",
        ),
        (
            [(float(place), *(MISSING,) * 19) for place in range(3)],
            (
                "A: only 1 of 20 seeds has a value; B: only 1 of 20 seeds has a value; 1 more cell lacks values; "
                "0 of 3 cells hold, 0 fail, 3 are open"
            ),
        ),
    ],
)
def test_what_a_note_counts_has_its_verb_in_its_number(
    numbers: list[tuple[float, ...]], printed: str
) -> None:
    cells = [Cell(name, values) for name, values in zip("ABC", numbers, strict=False)]
    assert note({"note": decide(cells, Above(0.5)).note}) == printed
