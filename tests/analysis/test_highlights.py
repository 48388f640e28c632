"""Sentences on what a study found: printed with its numbers, and only if its verdicts are those they are written for."""

import re

import pandas as pd
import pytest
from planted_study import NOTHING, evidence

from dying_relu.analysis import claims
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.highlights import HIGHLIGHTS, Highlight, highlights


@pytest.fixture(scope="module")
def undecided() -> pd.DataFrame:
    """The verdicts of a study that has nothing on findings."""
    return settled_by(evidence(NOTHING))


def planted(verdicts: pd.DataFrame, one: Highlight) -> pd.DataFrame:
    """The same, with the verdicts that a sentence depends on, and numbers for every rule."""
    table = verdicts.assign(effect=0.25)
    for rule, verdict in one.depends_on.items():
        table.loc[table["claim"] == rule, "verdict"] = verdict
    forms = {rule.id: rule.details for rule in (*claims.ordered(), *claims.ordered_findings())}
    details = [
        {name: [0.5, 0.4, 0.6] if form != "words" else "none" for name, form in forms[rule].items()}
        for rule in table["claim"]
    ]
    return table.assign(details=pd.Series(details, index=table.index, dtype=object))


@pytest.mark.parametrize("place", range(len(HIGHLIGHTS)))
def test_a_sentence_has_its_numbers_where_the_verdicts_are_its_own(
    place: int, undecided: pd.DataFrame
) -> None:
    table = planted(undecided, HIGHLIGHTS[place])
    lead = HIGHLIGHTS[place].text.split("**")[1]
    (sentence,) = [text for text in highlights(table) if lead in text]
    assert not re.search(r"\{[CF]\d", sentence)
    assert r"\qty{50}{\percent}" in sentence or r"\num{50} points" in sentence or r"\num{0.5}" in sentence


def test_a_sentence_is_left_out_where_a_verdict_is_another(undecided: pd.DataFrame) -> None:
    for one in HIGHLIGHTS:
        for rule in one.depends_on:
            table = planted(undecided, one)
            table.loc[table["claim"] == rule, "verdict"] = claims.NOT_SETTLED
            assert not any(one.text.split("**")[1] in text for text in highlights(table))


def test_a_sentence_is_left_out_where_a_number_is_missing(undecided: pd.DataFrame) -> None:
    for one in HIGHLIGHTS:
        table = planted(undecided, one).assign(effect=float("nan"))
        table["details"] = table["details"].map(lambda _: {})
        assert not any(one.text.split("**")[1] in text for text in highlights(table))
