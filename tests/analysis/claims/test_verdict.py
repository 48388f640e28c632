"""From numbers to a verdict: what supports, limits, refutes and leaves open, and how often chance may be wrong."""

import math

import pandas as pd
import pytest
from small_evidence import SmallEvidence

from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED
from dying_relu.analysis.claims.evidence import NotEnoughData
from dying_relu.analysis.claims.verdict import (
    MOST_CLAIMS,
    Claim,
    Finding,
    by_group,
    claim,
    each,
    exceeds,
    if_any,
    pooled,
    trend,
)
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.numbers.verdicts import LETTERS
from dying_relu.errors import DyingReluError
from dying_relu.extensions import Registry


def table(**strata: list[float]) -> pd.DataFrame:
    """One row each value of each stratum, with its replicate."""
    return pd.DataFrame(
        [(name, number, value) for name, values in strata.items() for number, value in enumerate(values)],
        columns=["stratum", "replicate", "value"],
    )


HIGH, LOW, WIDE = [0.8, 0.9, 1.0], [0.0, 0.1, 0.2], [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("values", "verdict", "note"),
    [
        (table(a=HIGH, b=HIGH), SUPPORTED, ""),
        (table(a=HIGH, b=LOW), LIMITED, "holds in a; not shown in b"),
        (table(a=HIGH, b=LOW, c=HIGH, d=WIDE), LIMITED, "holds in a and c; not shown in b and d"),
        (
            table(a=HIGH, b=LOW, c=LOW, d=LOW, e=LOW),
            LIMITED,
            "holds in a; not shown in 4 of 5 cases",
        ),
        (table(a=HIGH, b=LOW, c=LOW, d=LOW), LIMITED, "holds in a; not shown in b, c and d"),
        (table(a=LOW, b=LOW), REFUTED, ""),
        (table(a=WIDE), NOT_ENOUGH_DATA, "the interval includes both an effect that matters and none"),
    ],
)
def test_an_effect_everywhere_somewhere_nowhere_or_perhaps(
    values: pd.DataFrame, verdict: str, note: str
) -> None:
    assert exceeds(values, 0.5) == (verdict, note)


@pytest.mark.parametrize(("value", "verdict"), [(0.5, NOT_ENOUGH_DATA), (0.51, SUPPORTED), (0.49, REFUTED)])
def test_an_effect_that_is_the_threshold_neither_exceeds_it_nor_stays_below(
    value: float, verdict: str
) -> None:
    assert exceeds(table(a=[value] * 3), 0.5)[0] == verdict


def test_the_threshold_itself_somewhere_is_not_above_it() -> None:
    assert exceeds(table(a=HIGH, b=[0.5] * 3, c=[0.5] * 3), 0.5)[1] == "holds in a; not shown in b and c"


def test_one_case_among_many_needs_more_than_one_interval_would() -> None:
    """A rise that is sure by itself in one case of twelve may be chance: one replicate does not share it."""
    cases = {f"case {case}": [0.0] * 5 for case in range(12)}
    alone = table(**cases | {"case 0": [0.0, 0.2, 0.2, 0.2, 0.2]})
    assert each(alone)["case 0"].low > 0.06
    assert exceeds(alone, 0.06)[0] != LIMITED
    assert exceeds(table(**cases | {"case 0": [0.2] * 5}), 0.06)[0] == LIMITED


def test_strata_with_too_few_replicates_are_left_out() -> None:
    values = table(a=HIGH, b=[0.0, 0.0])
    assert pooled(values).estimate == pytest.approx(0.9)
    assert pooled(values).n == 3
    assert list(each(values)) == ["a"]


def test_every_stratum_counts_the_same_however_many_replicates_it_has() -> None:
    assert pooled(table(a=[1.0] * 6, b=[0.0] * 3)).estimate == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (table(), "the study has no case to compare"),
        (table(a=[1.0, 2.0], b=[1.0]), "3 replicates are needed and there are 2"),
    ],
)
def test_too_little_says_so(values: pd.DataFrame, reason: str) -> None:
    for settle in (pooled, each, lambda values: exceeds(values, 0.5)):
        with pytest.raises(NotEnoughData, match=f"^{reason}$"):
            settle(values)
    found = if_any(values)
    assert isinstance(found, float)
    assert math.isnan(found)


def test_what_is_enough_is_an_interval() -> None:
    assert if_any(table(a=HIGH)) == pooled(table(a=HIGH))


def test_a_higher_level_makes_wider_intervals() -> None:
    values = table(a=[0.0, 0.1, 0.3, 0.6, 1.0, 1.1, 1.2, 1.9])
    wide, narrow = pooled(values, 0.99), pooled(values, 0.5)
    assert wide.low < pooled(values).low < narrow.low < narrow.high < pooled(values).high < wide.high
    assert each(values, 0.5) == {"a": narrow}
    groups = by_group(values.assign(group="all"), "group", lambda rows: rows["value"].mean(), 0.5)
    assert groups == {"all": narrow}


def test_groups_are_pooled_by_themselves_and_those_with_too_few_replicates_left_out() -> None:
    values = pd.concat(
        [
            table(a=HIGH, b=HIGH).assign(place="deep"),
            table(a=LOW).assign(place="first"),
            table(a=[1.0]).assign(place="odd"),
        ]
    )
    found = by_group(values, "place", lambda rows: rows["value"].sum())
    assert list(found) == ["deep", "first"]
    assert [effect.estimate for effect in found.values()] == pytest.approx([0.9, 0.1])


@pytest.mark.parametrize(
    ("low", "high", "verb"),
    [
        (0.1, 0.2, "rises"),
        (-0.2, -0.1, "falls"),
        (-0.1, 0.1, "does not clearly change"),
        (0.0, 0.1, "does not clearly change"),
        (-0.1, 0.0, "does not clearly change"),
    ],
)
def test_a_change_has_a_verb(low: float, high: float, verb: str) -> None:
    assert trend(Interval((low + high) / 2, low, high, 3)) == verb


def test_a_rule_is_a_claim_from_its_decoration_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dying_relu.analysis.claims.verdict.CLAIMS", Registry("claim"))
    known = Finding(SUPPORTED, None, 7)

    @claim(
        "C20",
        "Claims can be added",
        experiment="none",
        measure="none",
        rule="always",
        details={"A": "words", "B": "number"},
    )
    def rule(evidence: SmallEvidence) -> Finding:
        return known

    from dying_relu.analysis.claims import verdict

    assert {
        "C20": Claim(
            "C20",
            "Claims can be added",
            "none",
            "none",
            "percent",
            "always",
            {"A": "words", "B": "number"},
            rule,
        )
    } == verdict.CLAIMS
    assert rule(SmallEvidence()) is known is verdict.CLAIMS["C20"].finding(SmallEvidence())


def decorated(claim_id: str) -> None:
    claim(claim_id, "It is made up", experiment="none", measure="none", rule="always")(
        lambda evidence: Finding(SUPPORTED, None, 7)
    )


def test_a_claim_has_one_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dying_relu.analysis.claims.verdict.CLAIMS", Registry("claim"))
    decorated("C1")
    with pytest.raises(DyingReluError, match="two entries for the claim 'C1'"):
        decorated("C1")


@pytest.mark.parametrize("claim_id", ["X1", "C0", "C01", "C21", "c1", "C", "C1a", ""])
def test_a_claim_has_an_id_that_macros_can_spell(claim_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dying_relu.analysis.claims.verdict.CLAIMS", Registry("claim"))
    with pytest.raises(DyingReluError) as error:
        decorated(claim_id)
    assert f"in the module {__name__} has a wrong id: found {claim_id!r}" in str(error.value)
    assert "expected C and a number from 1 to 20" in str(error.value)
    assert tuple(LETTERS) == tuple(range(1, MOST_CLAIMS + 1))


def test_missing_data_are_a_finding() -> None:
    def settle(evidence: SmallEvidence) -> Finding:
        raise NotEnoughData("nobody has looked")

    asked = Claim("C20", "", "", "", "", "", {}, settle)
    assert asked.finding(SmallEvidence()) == Finding(NOT_ENOUGH_DATA, None, 0, note="nobody has looked")
