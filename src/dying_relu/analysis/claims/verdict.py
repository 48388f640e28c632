"""Claims and findings: what is declared of a claim, and what its rule makes of a study."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.inference.decisions import NOT_SETTLED, Decision, Judged
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.errors import DyingReluError
from dying_relu.extensions import Registry

Detail = float | str | Interval


@dataclass(frozen=True)
class Reading:
    """A claim taken literally, where that is not how it is read charitably.

    Attributes:
        verdict: of the literal reading, one of :data:`~dying_relu.analysis.inference.decisions.VERDICTS`.
        note: what the reading is and what was found, as a clause.
    """

    verdict: str
    note: str


@dataclass(frozen=True)
class Finding:
    """The outcome of a claim's rule on a study.

    Attributes:
        verdict: of the charitable reading, one of :data:`~dying_relu.analysis.inference.decisions.VERDICTS`.
        effect: the mean over cells with its t interval over seeds, which decides nothing; None where there is none.
        runs: number of networks it rests on.
        condition: where it holds only if a condition is met: the condition, in words.
        note: why it is not settled, or what else a reader has to know; a clause without a full stop.
        cells: each with its median, its exact interval and its state.
        literal: the literal reading, if it is another one.
        details: further numbers, with or without an interval, and words that the paper quotes, by name.
    """

    verdict: str
    effect: Interval | None
    runs: int
    condition: str = ""
    note: str = ""
    cells: tuple[Judged, ...] = ()
    literal: Reading | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        decision: Decision,
        runs: int,
        literal: Reading | None = None,
        details: Mapping[str, Detail] | None = None,
    ) -> "Finding":
        """The finding of a decision.

        Args:
            decision: of the charitable reading.
            runs: number of networks it rests on.
            literal: the literal reading, if it is another one.
            details: further numbers and words.
        """
        return cls(
            decision.verdict,
            decision.mean if decision.mean.n else None,
            runs,
            decision.condition,
            decision.note,
            decision.cells,
            literal,
            dict(details or {}),
        )


@dataclass(frozen=True)
class Claim:
    """A claim of the source post, or a finding of this study, and how it is settled.

    Attributes:
        id: C1 ... C13; of a finding F1a ... F7a.
        statement: the claim, in short.
        experiment: the experiment (or experiments) it rests on; dots stand for all whose names begin so.
        measure: what the effect is, in words.
        unit: how the effect is printed: "percent" (a share), "points" (a difference of shares) or "number".
        rule: the charitable and the literal reading and the rule of the verdict, in words.
        details: the further numbers that ``settle`` gives, by name: how each is printed ("percent", "points", "number" or
            "words").
        settle: evidence -> finding; raises :class:`NotEnoughData`.
    """

    id: str
    statement: str
    experiment: str
    measure: str
    unit: str
    rule: str
    details: Mapping[str, str]
    settle: Callable[[Evidence], Finding]

    def finding(self, evidence: Evidence) -> Finding:
        """The finding of this claim; where data are missing, a finding that says so."""
        try:
            return self.settle(evidence)
        except NotEnoughData as reason:
            return Finding(NOT_SETTLED, None, 0, note=str(reason))


MOST_CLAIMS = 20
"""The highest number of a claim: macros spell it, and know the words up to this one."""

CLAIMS = Registry[Claim]("claim")
"""Every claim by its id; filled by the modules of this package, and by extensions (:mod:`dying_relu.extensions`)."""

FINDINGS = Registry[Claim]("finding")
"""Every finding by its id; filled by the modules of :mod:`dying_relu.analysis.findings`, and by extensions."""


class Rule:
    """A decorator that registers the rule of a claim, or of a finding.

    Args:
        registry: to register it in.
        pattern: of its ids.
        expected: the ids, in words.
    """

    def __init__(self, registry: Registry[Claim], pattern: str, expected: str) -> None:
        self._registry = registry
        self._pattern = pattern
        self._expected = expected

    def __call__(
        self,
        claim_id: str,
        statement: str,
        *,
        experiment: str,
        measure: str,
        rule: str,
        unit: str = "percent",
        details: Mapping[str, str] | None = None,
    ) -> Callable[[Callable[[Evidence], Finding]], Callable[[Evidence], Finding]]:
        """Register the decorated function as a rule.

        Args:
            claim_id: of the claim or finding.
            statement: of it, in short.
            experiment: the experiments that it rests on.
            measure: the effect, in words.
            rule: in words.
            unit: of the effect: "percent", "points" or "number".
            details: further numbers by name, and the format of each; see :class:`Claim`.

        Raises:
            DyingReluError: the id is wrong, or is taken.
        """

        def register(settle: Callable[[Evidence], Finding]) -> Callable[[Evidence], Finding]:
            kind = self._registry.kind
            if not re.fullmatch(self._pattern, claim_id):
                raise DyingReluError(
                    f"a {kind} in the module {settle.__module__} has a wrong id",
                    found=repr(claim_id),
                    expected=self._expected,
                    remedy=f"correct the first argument of @{kind}",
                )
            entry = Claim(claim_id, statement, experiment, measure, unit, rule, dict(details or {}), settle)
            self._registry.add(claim_id, entry)
            return settle

        return register


claim = Rule(CLAIMS, r"C(1?[1-9]|10|20)", f"C and a number from 1 to {MOST_CLAIMS}, such as 'C14'")
"""Registers the function below as the rule of a claim."""

finding = Rule(FINDINGS, r"F[1-9][a-z]", "F, a digit and a letter, such as 'F8a'")
"""Registers the function below as the rule of a finding."""
