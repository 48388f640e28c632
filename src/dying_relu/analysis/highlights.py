"""Sentences on what a study found, with its numbers: the first thing that a reader of ``README.md`` sees.

A sentence is written for certain verdicts. Where a study has another verdict, or lacks a number, the sentence is left out.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dying_relu.analysis import claims
from dying_relu.analysis.claims import DOES_NOT_HOLD, HOLDS, HOLDS_ONLY_IF
from dying_relu.analysis.numbers.macro import macro
from dying_relu.analysis.numbers.verdicts import verdict

_PLACE = re.compile(r"\{([CF]\d+[a-z]?)(?:\.(\w+))?\}")
"""A rule's id, and the name of one of its details."""
VERDICT = "verdict"
"""In the place of a detail's name: the verdict itself."""


@dataclass(frozen=True)
class Highlight:
    """A sentence and the verdicts that it is written for.

    Attributes:
        text: Markdown. ``{F1b}`` is the effect of a rule, ``{F1a.Units}`` a detail of it, and ``{F3a.verdict}`` its verdict.
        depends_on: a rule's id -> the verdict without which the sentence would be wrong.
    """

    text: str
    depends_on: Mapping[str, str]


HIGHLIGHTS: tuple[Highlight, ...] = (
    Highlight(
        "**A first layer dies of the mean of its inputs.** With centred inputs {F1a.NewlyDead} of {F1a.Units} first-layer units"
        " of finite networks died, under SGD, momentum and Adam, at any rate (F1a). With an offset that makes three fifths of "
        "the inputs' mean square {F1b} more of the layer die, at high rates on MNIST, in each of three directions (F1b).",
        {"F1a": HOLDS, "F1b": HOLDS},
    ),
    Highlight(
        "**Our law for the rate at which it dies failed its test.** In settings that it had not seen it errs by {F2a.Error} "
        "octaves, more than the plan allowed (F2a); one rate for all settings errs by {F2a.RateAlone}, and the best rival by "
        "{F2c} octaves more than the law (F2c).",
        {"F2a": DOES_NOT_HOLD, "F2c": HOLDS},
    ),
    Highlight(
        "**What if units may not die?** Of MLPs that would lose a quarter of a layer, {F3a.Renewing} overflow if dying units "
        "are renewed at once; if as many living units are renewed instead, {F3a.PlaceboOfRenewing}; untouched, {F3a.Untouched} "
        "(F3a, with CNNs: {F3a.verdict}).",
        {},
    ),
    Highlight(
        "**Count the units that work, not the dead ones.** Ten living units of a hundred cost {F4a.LossTenOfHundred} of "
        "accuracy on MNIST, two {F4a.LossTwoOfHundred} (F4a). A network damaged by a high rate loses {F4b.Damage}, and one that"
        " only lacks its dead units {F4b.Lack} (F4b). Renewing the dead instead of as many living units changes accuracy by "
        "{F4d} (F4d).",
        {"F4a": HOLDS, "F4b": HOLDS, "F4d": HOLDS},
    ),
    Highlight(
        "**A count of dead units is a snapshot.** Under SGD {F6c} of the units that are dead on 500 examples are active on "
        "others, under momentum {F6c.Momentum}, under Adam {F6c.Adam} (F6c). Of the units dead on all training examples at some"
        " point of training {C4} are alive at its end, under SGD {C4.SgdFirst} in the first layer and {C4.SgdDeeper} in deeper "
        "ones (C4).",
        {"F6c": HOLDS, "C4": DOES_NOT_HOLD},
    ),
    Highlight(
        "**Leaky ReLU is seldom the best cure, and the slope that the post names is too small.** With each remedy at its own best rate it "
        "changes accuracy by {C10.GainOverRelu} against ReLU and by {C10} against the best other, most often {C10.BestOther} (C10: "
        "{C10.verdict}). Where ReLU collapses, a slope of 0.0001 gets {C11} of what the best slope gains; the smallest that gets"
        " half of it, on average, is {C11.SmallestEnough} (C11: {C11.verdict}).",
        {"C10": HOLDS_ONLY_IF, "C11": HOLDS_ONLY_IF},
    ),
)


def highlights(table: pd.DataFrame) -> list[str]:
    """Write the sentences that are true of a study.

    Args:
        table: of :func:`dying_relu.analysis.claims.read`, a row a claim or finding.

    Returns:
        Markdown with numbers as LaTeX.
    """
    rows = {row["claim"]: row for row in table.to_dict("records")}
    return [text for one in HIGHLIGHTS if _holds(one, rows) and (text := _filled(one.text, rows))]


def _holds(one: Highlight, rows: Mapping[str, Mapping[Any, Any]]) -> bool:
    return all(rule in rows and rows[rule]["verdict"] == verdict for rule, verdict in one.depends_on.items())


def _filled(text: str, rows: Mapping[str, Mapping[Any, Any]]) -> str:
    """The sentence with its numbers; "" if one was not measured."""
    values = {place[0]: _value(rows, place[1], place[2]) for place in _PLACE.finditer(text)}
    if not all(values.values()):
        return ""
    return _PLACE.sub(lambda place: values[place[0]], text)


def _value(rows: Mapping[str, Mapping[Any, Any]], rule: str, name: str | None) -> str:
    """A number, or a verdict, as LaTeX; "" if there is none."""
    if rule not in rows:
        return ""
    row = rows[rule]
    if name == VERDICT:
        return verdict(row)
    number, form = row["effect"], row["unit"]
    if name is not None:
        detail = row["details"].get(name)
        number = detail[0] if isinstance(detail, list) else detail
        form = _forms(rule)[name]
    if number is None or (form != "words" and not math.isfinite(number)):
        return ""
    return macro(number, form).latex


def _forms(rule: str) -> Mapping[str, str]:
    rules = (*claims.ordered(), *claims.ordered_findings())
    return next(one.details for one in rules if one.id == rule)
