"""Rules as they are registered."""

import pytest

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.verdict import CLAIMS, FINDINGS, Finding, claim, finding
from dying_relu.analysis.inference.decisions import NOT_SETTLED
from dying_relu.errors import DyingReluError


def rule(evidence: Evidence) -> Finding:
    return Finding(NOT_SETTLED, None, 0)


WORDS = {"experiment": "causes", "measure": "a share", "rule": "Holds."}


@pytest.mark.parametrize("wrong", ["C0", "C21", "c14", "F1a", "C14b", ""])
def test_a_wrong_id_of_a_claim_is_named_with_its_module(wrong: str) -> None:
    said = (
        f"a claim in the module {__name__} has a wrong id: found {wrong!r}; "
        "expected C and a number from 1 to 20, such as 'C14'; correct the first argument of @claim"
    )
    with pytest.raises(DyingReluError) as error:
        claim(wrong, "a claim", **WORDS)(rule)
    assert str(error.value) == said
    assert wrong not in CLAIMS or wrong in {one.id for one in CLAIMS.values()}


@pytest.mark.parametrize("wrong", ["F0a", "F1", "F10a", "C1"])
def test_a_wrong_id_of_a_finding_is_named(wrong: str) -> None:
    with pytest.raises(DyingReluError, match=r"^a finding .* such as 'F8a'; correct .* of @finding$"):
        finding(wrong, "a finding", **WORDS)(rule)


def test_a_rule_is_registered_as_it_was_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(FINDINGS)
    try:
        assert finding("F9z", "a finding", **WORDS)(rule) is rule
        registered = FINDINGS["F9z"]
    finally:
        FINDINGS.pop("F9z", None)
    assert dict(FINDINGS) == before
    assert (registered.id, registered.statement, registered.unit) == ("F9z", "a finding", "percent")
    assert (registered.experiment, registered.measure, registered.rule) == tuple(WORDS.values())
    assert registered.details == {}
    assert registered.settle is rule
