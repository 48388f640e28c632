"""The plan's bold numbers are those of the rules."""

import re
from pathlib import Path

from dying_relu.analysis.inference.seeds import MOST_MISSING, ONE_SIDE, REPORTING
from dying_relu.analysis.outcomes import OUTCOMES, SPIKE
from dying_relu.analysis.thresholds import PAPER, alternatives, declared
from dying_relu.units import definitions

PLAN = (Path(__file__).parents[2] / "paper" / "plan.md").read_text(encoding="utf-8")
NUMBER = r"-?\d+(?:\.\d+)?"


def bold(text: str) -> set[float]:
    """The sizes of the numbers that stand bold in a text; per cents as shares, a third as a number."""
    numbers = set()
    for words in re.findall(r"\*\*(.+?)\*\*", text):
        if re.fullmatch(rf"{NUMBER}(?: %)?(?: and {NUMBER})?", words):
            size = 100 if words.endswith("%") else 1
            numbers |= {abs(float(number)) / size for number in re.findall(NUMBER, words)}
        elif words == "third":
            numbers.add(1 / 3)
    return numbers


def rules() -> dict[str, str]:
    """The text of every claim and finding that has a threshold, by its id."""
    rows = re.findall(r"^\| (C\d+) \|(.*)$", PLAN, re.MULTILINE)
    section = PLAN.split("## 4.")[1].split("## 5.")[0]
    starts = [*re.finditer(r"\*\*(F\d[a-z])\b", section)]
    ends = [match.start() for match in starts[1:]] + [len(section)]
    findings = [(match[1], section[match.start() : end]) for match, end in zip(starts, ends, strict=True)]
    return {name: text for name, text in [*rows, *findings] if bold(text)}


def test_every_rule_has_the_plans_thresholds() -> None:
    expected: dict[str, set[float]] = {}
    for name, threshold in declared().items():
        for rule in threshold.claims:
            expected.setdefault(rule, set()).add(getattr(PAPER, name))
    found = {rule: bold(text) for rule, text in rules().items()}
    assert {rule: sorted(numbers) for rule, numbers in found.items()} == {
        rule: sorted(numbers) for rule, numbers in expected.items()
    }


def test_words_are_defined_by_the_plans_numbers() -> None:
    words = PLAN.split("## 1.")[1].split("## 2.")[0]
    assert bold(words) == {
        definitions.NEARLY_DEAD_SHARE,
        definitions.DIVERGED_LOSS_RATIO,
        definitions.CHANCE_LEVEL,
        SPIKE,
        PAPER.mass_death,
    }
    verdicts = PLAN.split("## 2.")[1].split("## 3.")[0]
    assert bold(verdicts) == {round(ONE_SIDE, 12), (1 - MOST_MISSING) * REPORTING, 4}


def test_outcomes_have_the_names_of_the_definitions() -> None:
    assert OUTCOMES == definitions.OUTCOMES


def test_a_smaller_and_a_larger_value_are_tried_of_the_claims_thresholds() -> None:
    for name, threshold in declared().items():
        claims = [rule for rule in threshold.claims if rule.startswith("C")]
        assert bool(threshold.values) == bool(claims)
        if threshold.values:
            low, high = threshold.values
            assert low < getattr(PAPER, name) < high
    assert set(alternatives()) < set(declared())


def test_a_threshold_is_replaced_and_the_others_stay() -> None:
    other = PAPER.replace(often=0.6)
    assert other.often == 0.6
    assert other.replace(often=PAPER.often) == PAPER != other


def test_thresholds_are_named_by_words_of_their_own() -> None:
    words = [threshold.words for threshold in declared().values()]
    assert all(isinstance(word, str) and word for word in words)
    assert len(set(words)) == len(words)
