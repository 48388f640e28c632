"""All claims at once: effects that were built into a study are found, and the table of verdicts survives its file."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small_evidence import SmallEvidence, settled
from small_study import write_small_study

from dying_relu import configuration
from dying_relu.analysis import claims
from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.claims.verdict import CLAIMS
from dying_relu.errors import DyingReluError
from dying_relu.results.origin import PARTS

CONFIG = Path(__file__).parents[3] / "config"

KNOWN = {
    "C1": SUPPORTED,
    "C3": LIMITED,
    "C4": LIMITED,
    "C6": SUPPORTED,
    "C7": LIMITED,
    "C8": REFUTED,
    "C9": REFUTED,
    "C10": SUPPORTED,
    "C11": REFUTED,
    "C12": SUPPORTED,
    "C13": SUPPORTED,
}
"""What the synthetic study was built to say."""


@pytest.fixture(scope="module")
def verdicts(small_study: Path) -> pd.DataFrame:
    return claims.settle(small_study)


@pytest.mark.parametrize("study", ["config", "smoke"])
def test_experiments_name_the_claims_that_rest_on_them(study: str) -> None:
    experiments = configuration.load(CONFIG / f"{study}.yaml").experiments
    said = {(name, claim) for name, experiment in experiments.items() for claim in experiment.claims}
    used = {
        (name, claim.id)
        for claim in CLAIMS.values()
        for stated in claim.experiment.split(", ")
        for name in experiments
        if name == stated or (stated.endswith("...") and name.startswith(stated.removesuffix("...")))
    }
    assert said == used


def test_every_claim_has_a_verdict_an_interval_and_a_rule(verdicts: pd.DataFrame) -> None:
    assert list(verdicts["claim"]) == [f"C{number}" for number in range(1, 14)]
    assert list(verdicts.columns) == claims.COLUMNS
    assert verdicts["verdict"].isin(claims.VERDICTS).all()
    assert (verdicts["low"] <= verdicts["effect"]).all()
    assert (verdicts["effect"] <= verdicts["high"]).all()
    assert verdicts[["statement", "measure", "rule", "experiment"]].map(len).gt(0).all(axis=None)


@pytest.mark.parametrize(("claim", "verdict"), KNOWN.items())
def test_effects_that_were_built_in_are_found(claim: str, verdict: str) -> None:
    assert settled(claim)["verdict"] == verdict


@pytest.mark.parametrize("claim", claims.ordered(), ids=lambda claim: claim.id)
def test_the_details_of_a_claim_are_those_that_it_declares(claim: claims.Claim) -> None:
    """All of them, in any order, with numbers and words where numbers and words were promised."""
    found = settled(claim.id)["details"]
    assert set(found) == set(claim.details)
    assert set(claim.details.values()) <= {"percent", "points", "number", "words"}
    for name, form in claim.details.items():
        assert isinstance(found[name], str) == (form == "words")


def test_a_row_is_the_finding_and_what_the_claim_says_of_itself() -> None:
    evidence, claim = SmallEvidence(), CLAIMS["C4"]
    row, finding = settled("C4", evidence), claim.finding(evidence)
    effect = finding.effect
    assert effect is not None
    assert row.drop("details").to_dict() == {
        "claim": "C4",
        "statement": claim.statement,
        "verdict": finding.verdict,
        "effect": effect.estimate,
        "low": effect.low,
        "high": effect.high,
        "n": finding.runs,
        "unit": "percent",
        "experiment": "recovery",
        "measure": claim.measure,
        "rule": claim.rule,
        "note": finding.note,
    }


def test_whole_numbers_have_no_point() -> None:
    found = settled("C10")["details"]
    assert [type(found[name]) for name in ("DoomedSettings", "WorstGap", "GainOverRelu", "BestOther")] == [
        int,
        int,
        list,
        str,
    ]
    assert isinstance(settled("C5")["details"]["AccuracyWorst"], float)


def test_memory_and_files_give_the_same_verdicts(verdicts: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(settled_by(SmallEvidence()), verdicts.drop(columns=list(PARTS)))


def test_some_claims_can_be_settled_by_themselves(small_study: Path, verdicts: pd.DataFrame) -> None:
    two = claims.settle(small_study, ["C11", "C2"])
    assert list(two["claim"]) == ["C2", "C11"]
    pd.testing.assert_frame_equal(
        two.set_index("claim"), verdicts.set_index("claim").loc[["C2", "C11"]], check_dtype=False
    )


def test_the_table_survives_its_file(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    claims.write(verdicts, tmp_path / "claims.csv")
    read = claims.read(tmp_path / "claims.csv")
    pd.testing.assert_frame_equal(
        read.drop(columns="details"), verdicts.drop(columns="details"), check_exact=False
    )
    assert [set(details) for details in read["details"]] == [set(claim.details) for claim in claims.ordered()]


def test_verdicts_without_data_survive_their_file(tmp_path: Path) -> None:
    """What has no effect reads as missing, and an empty note as an empty one."""
    write_small_study(tmp_path, experiments=("causes",))
    claims.write(claims.settle(tmp_path), tmp_path / "claims.csv")
    read = claims.read(tmp_path / "claims.csv").set_index("claim")
    assert read.loc["C10", ["verdict", "n"]].tolist() == [NOT_ENOUGH_DATA, 0]
    assert read.loc["C10", ["effect", "low", "high"]].isna().all()
    assert read.loc["C10", "details"] == {}
    assert read.loc["C6", "note"] == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda table: table.iloc[1:],
            "found verdicts on C2, C3, .*; expected one on each of C1, C2, .*, C13; delete",
        ),
        (
            lambda table: table.drop(columns="rule"),
            "found the columns claim, statement, .*; expected claim, statement, .*, rule, note, details, .*; delete",
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
        DyingReluError, match=rf"claims\.csv does not hold the verdicts on all claims: {said}"
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

    found = settled_by(SmallEvidence(runs=shuffled, layers=shuffled, units=shuffled))
    assert list(found["verdict"]) == list(verdicts["verdict"])
    assert found["effect"].to_numpy() == pytest.approx(verdicts["effect"].to_numpy())


def test_a_missing_experiment_is_named() -> None:
    verdicts = settled_by(SmallEvidence(experiments=("causes",))).set_index("claim")
    assert verdicts.loc["C6", "verdict"] == SUPPORTED
    for claim, experiment in {"C3": "recovery", "C8": "anatomy", "C10": "remedies", "C11": "slopes"}.items():
        assert verdicts.loc[claim, "verdict"] == NOT_ENOUGH_DATA
        assert verdicts.loc[claim, "note"] == f"the study has no experiment '{experiment}'"
        assert pd.isna(verdicts.loc[claim, "effect"])


def test_two_replicates_settle_nothing_but_the_identity() -> None:
    verdicts = settled_by(SmallEvidence(replicates=2)).set_index("claim")
    assert verdicts.loc["C1", "verdict"] == SUPPORTED
    others = verdicts.drop("C1")
    assert (others["verdict"] == NOT_ENOUGH_DATA).all()
    assert set(others["note"]) <= {
        "3 replicates are needed and there are 2",
        "no depth under any optimiser has dead units in enough replicates",
    }
