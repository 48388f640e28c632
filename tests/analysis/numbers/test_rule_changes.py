"""The sentence that says whether the rules are those that the study was trained with."""

from dying_relu.analysis.numbers import provenance


def test_a_change_of_the_rules_makes_the_verdicts_exploratory() -> None:
    same, other = provenance.changes("a", "a"), provenance.changes("a", "b")
    assert same.value == "none"
    assert "exploratory" not in same.latex
    assert other.value == "changed"
    assert "exploratory" in other.latex


def test_without_a_digest_nothing_is_claimed() -> None:
    assert provenance.changes(None, "a").value is None
    assert provenance.changes("a", None).value is None
