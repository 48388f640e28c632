"""Cells and verdicts."""

import numpy as np
import pytest

from dying_relu.analysis.inference.criteria import Above, Below, Rare, Within
from dying_relu.analysis.inference.decisions import (
    DOES_NOT_HOLD,
    FAILS,
    HOLDS,
    HOLDS_ONLY_IF,
    NOT_SETTLED,
    OPEN,
    Cell,
    decide,
    once,
)

SEEDS = 20


def cell(name: str, above: int, missing: int = 0, **levels: str) -> Cell:
    """A cell of which so many seeds are above 0; no two cells are equal seed by seed."""
    size = 1 + len(name) / 10 + sum(name.encode()) / 1000
    numbers = [size + seed / 100 for seed in range(above)]
    numbers += [-size - seed / 100 for seed in range(SEEDS - above - missing)]
    return Cell(name, (*numbers, *[np.nan] * missing), levels)


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((15, 16, 15), HOLDS),  # no correction for "in every cell"
        ((15, 14), NOT_SETTLED),
        ((5, 4, 5), DOES_NOT_HOLD),
        ((20, 10), NOT_SETTLED),
        ((20, 0), HOLDS_ONLY_IF),
        ((20, 0, 10), HOLDS_ONLY_IF),
        ((15, 5), NOT_SETTLED),  # neither passes the correction for two
        ((16, 4), HOLDS_ONLY_IF),
        ((10, 10), NOT_SETTLED),
        ((0,), DOES_NOT_HOLD),
        ((), NOT_SETTLED),
    ],
)
def test_cells_make_a_verdict(counts: tuple[int, ...], verdict: str) -> None:
    cells = [cell("abcd"[place], count) for place, count in enumerate(counts)]
    assert decide(cells, Above(0.0)).verdict == verdict


def test_a_cell_says_how_many_seeds_agree() -> None:
    found = decide([cell("a", 18)], Above(0.0)).cells[0]
    assert (found.seeds, found.state) == ("18 of 20 seeds", HOLDS)


def test_a_cell_with_too_few_values_is_open_and_named() -> None:
    found = decide([cell("rich", 20), cell("poor", 14, missing=6)], Above(0.0))
    assert found.verdict == NOT_SETTLED
    assert [one.state for one in found.cells] == [HOLDS, OPEN]
    assert "poor: only 14 of 20 seeds have a value" in found.note
    nothing = decide([cell("none", 0, missing=20)], Above(0.0))
    assert nothing.verdict == NOT_SETTLED
    np.testing.assert_equal(nothing.cells[0].interval, (np.nan, np.nan, np.nan, 0))


@pytest.mark.parametrize(("poor", "rest"), [(2, ""), (3, "; 1 more cells lack values")])
def test_at_most_two_cells_that_lack_values_are_named(poor: int, rest: str) -> None:
    cells = [cell("abcde"[place], 10, missing=10 - place) for place in range(poor)]
    named = "; ".join(f"{'abcde'[place]}: only {10 + place} of 20 seeds have a value" for place in range(2))
    found = decide([cell("rich", 20), *cells], Above(0.0)).note
    assert found == f"{named}{rest}; 1 of {poor + 1} cells hold, 0 fail, {poor} are open"


def test_cells_that_lack_values_do_not_make_the_correction_stricter() -> None:
    poor = [Cell(f"poor {place}", (*[float(place)] * 3, *[np.nan] * 17)) for place in range(9)]
    assert decide([cell("a", 16), cell("b", 4), *poor], Above(0.0)).verdict == HOLDS_ONLY_IF


def test_cells_that_are_equal_seed_by_seed_are_one() -> None:
    """Frozen networks are the same at every rate; a zero with a sign is a zero."""
    same = [
        Cell(name, tuple([zero] * SEEDS), {"rate": name, "data": "x"})
        for name, zero in {"a": 0.0, "b": -0.0}.items()
    ]
    found = once([*same, cell("c", 20)])
    assert [one.name for one in found] == ["a = b", "c"]
    assert found[0].levels == {"data": "x"}
    lacking = [Cell(name, (np.nan,) * SEEDS) for name in "de"]
    assert [one.name for one in once(lacking)] == ["d", "e"]


def test_cells_that_differ_in_one_seed_however_little_are_two() -> None:
    cells = [Cell(str(number), (number, *[1.0] * 19)) for number in (1e-20, 2e-20, -1e-20)]
    assert once(cells) == cells


def test_the_condition_is_a_factors_level_or_names_or_a_number() -> None:
    def condition(*cells: Cell) -> str:
        return decide(cells, Above(0.0)).condition

    by_network = [
        cell("ab", 20, data="A", network="CNN"),
        cell("abc", 20, data="B", network="CNN"),
        cell("abcd", 0, data="A", network="MLP"),
        cell("abcde", 10, data="B", network="MLP"),
    ]
    assert condition(*by_network) == "the network is CNN"
    assert condition(cell("ab", 20, data="A"), cell("abc", 0, data="A")) == "in ab"
    two = [cell("ab", 20, data="A"), cell("abc", 20, data="A"), cell("abcd", 0, data="A")]
    assert condition(*two) == "in ab and abc"
    many = [cell("x" * place, 20 if place < 4 else 0, data="A") for place in range(1, 7)]
    assert condition(*many) == "in 3 of 6 cells"
    # An open cell is none of which it was shown.
    by_network[1] = cell("abc", 10, data="B", network="CNN")
    assert condition(*by_network) == "in ab"


def test_the_rule_may_word_its_condition() -> None:
    found = decide(
        [cell("a", 20), cell("b", 0)], Above(0.0), lambda holding, rest: f"{len(holding)}:{len(rest)}"
    )
    assert found.condition == "1:1"
    assert decide([cell("a", 20)], Above(0.0), lambda holding, rest: "no").condition == ""


def test_equivalence_asks_for_the_whole_interval_within_two_limits() -> None:
    near = Cell("near", tuple(np.linspace(-0.01, 0.01, SEEDS)))
    far = Cell("far", tuple(np.linspace(0.2, 0.3, SEEDS)))
    across = Cell("across", tuple(np.linspace(-0.2, 0.2, SEEDS)))
    states = [decide([one], Within(-0.05, 0.05)).cells[0].state for one in (near, far, across)]
    assert states == [HOLDS, FAILS, OPEN]


@pytest.mark.parametrize(("seeds", "state"), [(0, HOLDS), (1, OPEN), (6, OPEN), (12, FAILS)])
def test_a_property_is_rare_if_none_of_twenty_seeds_has_it(seeds: int, state: str) -> None:
    numbers = tuple([1.0] * seeds + [0.0] * (SEEDS - seeds))
    found = decide([Cell("a", numbers)], Rare(0.2)).cells[0]
    assert found.state == state
    assert found.agreeing == SEEDS - seeds
    if seeds == 0:
        assert found.interval.high == pytest.approx(0.139, abs=5e-4)


def test_above_and_below_are_opposites() -> None:
    above, below = (decide([cell("a", 18)], one).verdict for one in (Above(0.0), Below(0.0)))
    assert (above, below) == (HOLDS, DOES_NOT_HOLD)


def test_the_printed_mean_is_over_cells_and_seeds() -> None:
    found = decide([cell("a", 20), cell("b", 20)], Above(0.0)).mean
    assert found.n == SEEDS
    assert found.low < found.estimate < found.high
