"""All findings: what is planted is found, its opposite is refuted, and what is missing settles nothing."""

from dataclasses import replace

import pandas as pd
import pytest
from planted_findings import NOTHING, OPPOSITE, PLANTED, evidence

from dying_relu.analysis import claims
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.numbers.agreement import agreement

IDS = [
    *("F1a", "F1b", "F1c", "F1d", "F1e", "F2a", "F2b", "F2c", "F3a", "F3b", "F3c"),
    *("F4a", "F4b", "F4c", "F4d", "F5a", "F5b", "F6a", "F6b", "F6c", "F7a"),
]


@pytest.fixture(scope="module")
def planted() -> pd.DataFrame:
    return settled_by(evidence(PLANTED), IDS).set_index("claim")


@pytest.fixture(scope="module")
def refuted() -> pd.DataFrame:
    found = settled_by(evidence(OPPOSITE), IDS).set_index("claim")
    # With this effect there would be no control of F1a.
    other = settled_by(evidence(replace(OPPOSITE, offset=0.05)), ["F1b"]).set_index("claim")
    return pd.concat([found.drop("F1b"), other])


def test_every_finding_of_the_plan_has_a_rule() -> None:
    assert [finding.id for finding in claims.ordered_findings()] == IDS
    for finding in claims.ordered_findings():
        assert finding.statement
        assert finding.rule.endswith(".")


@pytest.mark.parametrize("finding", IDS)
def test_effects_that_were_planted_are_found(finding: str, planted: pd.DataFrame) -> None:
    row = planted.loc[finding]
    assert row["verdict"] == claims.HOLDS, (row["note"], row["cells"], row["details"])


@pytest.mark.parametrize("finding", IDS)
def test_opposite_effects_are_refuted(finding: str, refuted: pd.DataFrame) -> None:
    row = refuted.loc[finding]
    assert row["verdict"] == claims.DOES_NOT_HOLD, (row["note"], row["cells"], row["details"])


def test_a_study_in_which_nothing_dies_and_nothing_is_lost_has_no_finding() -> None:
    found = settled_by(evidence(NOTHING), IDS).set_index("claim")["verdict"]
    assert set(found) <= {claims.DOES_NOT_HOLD, claims.NOT_SETTLED}
    # Twins that do not differ because neither loses anything are no equivalence.
    assert set(found[["F1a", "F1c", "F3a", "F4b", "F4d"]]) == {claims.NOT_SETTLED}


@pytest.mark.parametrize("finding", claims.ordered_findings(), ids=lambda finding: finding.id)
def test_the_details_of_a_finding_are_those_that_it_declares(finding: claims.Claim) -> None:
    found = finding.finding(evidence(PLANTED)).details
    assert set(found) == set(finding.details)
    for name, form in finding.details.items():
        assert isinstance(found[name], str) == (form == "words")


@pytest.mark.parametrize(
    ("kept", "findings", "missing"),
    [
        ("law", IDS[:5], "mean_"),
        ("mean", ["F2a", "F2b", "F2c"], "law_held_out"),
        ("mean", ["F3a", "F3b", "F3c"], "fuse"),
        ("fuse", ["F4a"], "living_30"),
        ("living", ["F4b", "F4c", "F4d"], "damage_sgd"),
        ("living", ["F5a", "F5b"], "when"),
        ("living", ["F6a", "F6b", "F6c"], "activity"),
        ("living", ["F7a"], "phase_diagram"),
    ],
)
def test_a_missing_experiment_is_named(kept: str, findings: list[str], missing: str) -> None:
    some = evidence(runs=lambda runs: runs[runs["experiment"].str.startswith(kept)])
    found = settled_by(some, findings)
    assert set(found["verdict"]) == {claims.NOT_SETTLED}
    assert found["note"].str.contains(f"the study has no experiment '{missing}").all()


COUNT_OVERFLOWS = ("F3a", "F3c")
OF_WHOLE_STUDIES = ("F1a",)
"""It needs 17 seeds."""


@pytest.mark.parametrize("finding", [name for name in IDS if name not in COUNT_OVERFLOWS + OF_WHOLE_STUDIES])
def test_six_seeds_without_a_network_that_stayed_finite_are_too_few(finding: str) -> None:
    """A cell may miss a quarter of its seeds, no more."""

    def lost(seeds_lost: int) -> pd.Series:
        def overflowed(runs: pd.DataFrame) -> pd.DataFrame:
            here = runs["replicate"] < seeds_lost
            missing = [name for name in runs if name.endswith(("_fraction", "_loss", "_accuracy"))]
            changed = {
                name: runs[name].mask(here)
                for name in missing
                if "initial" not in name and "peak" not in name
            }
            more = ("dead_fraction_probe", "dead_fraction_test", "effective_rank", "mean_slope")
            changed |= {name: runs[name].mask(here) for name in more}
            return runs.assign(
                **changed,
                outcome=runs["outcome"].mask(here, "diverged"),
                overflowed=runs["overflowed"] | here,
                overflow_step=runs["overflow_step"].fillna(5).where(here | runs["overflowed"]),
            )

        return settled_by(evidence(runs=overflowed), [finding]).iloc[0]

    five, six = lost(5), lost(6)
    assert five["verdict"] == claims.HOLDS, five["note"]
    assert six["verdict"] == claims.NOT_SETTLED
    assert "have" in six["note"]


def test_the_seeds_that_agree_are_those_of_the_worst_and_the_best_cell() -> None:
    cells = [{"agreeing": 20, "seeds": 20}, {"agreeing": 17, "seeds": 19}]
    assert agreement(cells) == "17 of 19 to 20 of 20 seeds, 2 cells"
    assert agreement([]) == "no seeds"
