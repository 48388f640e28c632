"""All claims at once: what is planted is found, what is not is not, and the table survives its file."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from planted_study import NOTHING, PLANTED, evidence, settled
from small_study import write_small_study

from dying_relu.analysis import claims
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.claims.verdict import CLAIMS
from dying_relu.errors import DyingReluError
from dying_relu.results.origin import PARTS

CLAIMED = [f"C{number}" for number in range(1, 14)]
IDENTITIES = ["C1", "C8"]
"""Nothing that is planted can make them fail."""


@pytest.fixture(scope="module")
def verdicts() -> pd.DataFrame:
    """The verdicts on all claims, and below them those on findings, which this study knows nothing of."""
    return settled_by(evidence(PLANTED)).assign(**dict.fromkeys(PARTS, ""))[claims.COLUMNS]


def test_every_claim_has_a_verdict_and_a_rule(verdicts: pd.DataFrame) -> None:
    assert list(verdicts["claim"]) == CLAIMED + [finding.id for finding in claims.ordered_findings()]
    assert list(claims.on_claims(verdicts)["claim"]) == CLAIMED
    assert list(verdicts.columns) == claims.COLUMNS
    measured = claims.on_claims(verdicts)
    assert (measured["low"].fillna(-9) <= measured["effect"]).all()
    assert (measured["effect"] <= measured["high"].fillna(9)).all()
    assert verdicts[["statement", "measure", "rule", "experiment"]].map(len).gt(0).all(axis=None)


def test_effects_that_were_planted_are_found(verdicts: pd.DataFrame) -> None:
    assert set(claims.on_claims(verdicts)["verdict"]) == {claims.HOLDS}
    assert set(claims.on_findings(verdicts)["verdict"]) == {claims.NOT_SETTLED}


def test_a_study_without_effects_has_none() -> None:
    found = settled_by(evidence(NOTHING), CLAIMED).set_index("claim")["verdict"]
    assert set(found.drop(IDENTITIES)) == {claims.DOES_NOT_HOLD}


def test_a_study_at_the_thresholds_settles_nothing() -> None:
    """Half of the seeds are on either side."""
    found = settled_by(
        evidence(elsewhere=0.95, dead=0.25, rise=0.05, born=0.05, leaky_gap=-0.01, slope_moves=0.01)
    ).set_index("claim")["verdict"]
    assert set(found[["C2", "C5", "C12"]]) == {claims.NOT_SETTLED}


@pytest.mark.parametrize("claim", claims.ordered(), ids=lambda claim: claim.id)
def test_the_details_of_a_claim_are_those_that_it_declares(claim: claims.Claim) -> None:
    """All of them, in any order, with numbers and words where numbers and words were promised."""
    found = settled(claim.id)["details"]
    assert set(found) == set(claim.details)
    assert set(claim.details.values()) <= {"percent", "points", "number", "words"}
    for name, form in claim.details.items():
        assert isinstance(found[name], str) == (form == "words")


def test_a_row_is_the_finding_and_what_the_claim_says_of_itself() -> None:
    claim = CLAIMS["C5"]
    row, finding = settled("C5"), claim.finding(evidence())
    effect, literal = finding.effect, finding.literal
    assert effect is not None
    assert literal is not None
    assert row.drop(["details", "cells"]).to_dict() == {
        "claim": "C5",
        "statement": claim.statement,
        "verdict": finding.verdict,
        "condition": finding.condition,
        "effect": effect.estimate,
        "low": effect.low,
        "high": effect.high,
        "n": finding.runs,
        "unit": "percent",
        "experiment": claim.experiment,
        "measure": claim.measure,
        "rule": claim.rule,
        "note": finding.note,
        "literal": literal.verdict,
        "literal_note": literal.note,
    }


def test_a_cell_says_its_median_its_interval_and_how_many_seeds_agree() -> None:
    cells = settled("C5")["cells"]
    assert [cell["name"] for cell in cells] == ["MNIST, MLP", "MNIST, CNN", "CIFAR-10, MLP", "CIFAR-10, CNN"]
    for cell in cells:
        assert cell["low"] < cell["estimate"] < cell["high"]
        assert (cell["agreeing"], cell["seeds"], cell["state"]) == (20, 20, claims.HOLDS)


def test_whole_numbers_have_no_point() -> None:
    found = settled("C10")["details"]
    assert [type(found[name]) for name in ("Settings", "GainOverRelu", "BestOther")] == [int, list, str]


def test_the_table_survives_its_file(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    claims.write(verdicts, tmp_path / "claims.csv")
    read = claims.read(tmp_path / "claims.csv")
    plain = ["details", "cells"]
    pd.testing.assert_frame_equal(
        read.drop(columns=plain), verdicts.drop(columns=plain), check_exact=False, check_dtype=False
    )
    assert [set(details) for details in read["details"]] == [
        set(claim.details) for claim in claims.ordered()
    ] + [set() for _ in claims.ordered_findings()]
    assert len(read["cells"].iloc[4]) == 4


def test_verdicts_without_data_survive_their_file(tmp_path: Path) -> None:
    """What has no effect reads as missing, and an empty note as an empty one."""
    write_small_study(tmp_path, experiments=("causes",))
    claims.write(claims.settle(tmp_path), tmp_path / "claims.csv")
    read = claims.read(tmp_path / "claims.csv").set_index("claim")
    assert read.loc["C10", ["verdict", "n"]].tolist() == [claims.NOT_SETTLED, 0]
    assert read.loc["C10", ["effect", "low", "high"]].isna().all()
    assert read.loc["C10", "details"] == {}
    assert read.loc["C1", "note"] == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda table: table.iloc[1:],
            "found verdicts on C2, C3, .*; expected one on each of C1, C2, .*, C13, F1a, .*, F7a; delete",
        ),
        (
            lambda table: table.drop(columns="rule"),
            "found the columns claim, statement, .*; expected claim, statement, .*, rule, note, .*details, .*; delete",
        ),
        (
            lambda table: table.assign(details="{"),
            "found Expecting property name .*; expected a table of verdicts; delete it and run the study again",
        ),
    ],
)
def test_a_file_without_all_verdicts_is_named(
    change: Callable, said: str, verdicts: pd.DataFrame, tmp_path: Path
) -> None:
    claims.write(change(verdicts), tmp_path / "claims.csv")
    with pytest.raises(
        DyingReluError, match=rf"claims\.csv does not hold the verdicts on all claims and findings: {said}"
    ):
        claims.read(tmp_path / "claims.csv")


def test_a_missing_file_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(
        DyingReluError, match=r"^no verdicts at .*/claims\.csv: run the study first: snakemake"
    ):
        claims.read(tmp_path / "claims.csv")


def test_the_order_of_rows_does_not_matter(verdicts: pd.DataFrame) -> None:
    def shuffled(table: pd.DataFrame) -> pd.DataFrame:
        return table.sample(frac=1, random_state=1)

    found = settled_by(evidence(runs=shuffled, units=shuffled))
    assert list(found["verdict"]) == list(verdicts["verdict"])
    assert found["effect"].to_numpy() == pytest.approx(verdicts["effect"].to_numpy(), nan_ok=True)


def test_a_missing_experiment_is_named() -> None:
    found = settled_by(evidence(runs=lambda runs: runs[runs["experiment"] == "causes"])).set_index("claim")
    assert found.loc["C6", "verdict"] == claims.HOLDS
    for claim, experiment in {"C3": "recovery", "C10": "remedies", "C11": "slopes"}.items():
        assert found.loc[claim, "verdict"] == claims.NOT_SETTLED
        assert found.loc[claim, "note"] == f"the study has no experiment '{experiment}'"
        assert pd.isna(found.loc[claim, "effect"])


def test_five_seeds_settle_nothing_but_the_identities() -> None:
    found = settled_by(evidence(runs=lambda runs: runs[runs["replicate"] < 5])).set_index("claim")
    assert set(found.drop(IDENTITIES)["verdict"]) == {claims.NOT_SETTLED}
