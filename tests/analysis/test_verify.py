"""A study is held against the published one: the same tables agree, moved ones do not, and verdicts decide."""

from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console
from small_study import ORIGIN

from dying_relu.analysis import claims
from dying_relu.analysis import verify as verifying
from dying_relu.results import store

METRICS = ["train_loss", "train_accuracy", "test_loss", "test_accuracy", "effective_rank", "mean_slope"]
FRACTIONS = [
    "dead",
    "new_dead",
    "nearly_dead",
    "dead_on_both",
    "inactive",
    "saturated",
    "dormant_0",
    "dormant_0025",
    "dormant_01",
]
NOT_OF_OVERFLOWED = [
    *METRICS,
    *(f"{name}_fraction" for name in [*FRACTIONS, "born_dead", "died", "revived"]),
    "dead_fraction_test",
    "dead_fraction_probe",
    "pruned_difference",
    "pruned_answers",
]


def copy_with(study: Path, folder: Path, change) -> Path:
    """The runs and the verdicts of ``study`` in ``folder``, the runs changed."""
    runs = store.read("runs", study / "runs.parquet")
    store.write("runs", change(runs), folder / "runs.parquet", ORIGIN)
    claims.write(claims.settle(study), folder / "claims.csv")
    return folder


@pytest.fixture(scope="module")
def published(small_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_with(small_study, tmp_path_factory.mktemp("published"), lambda runs: runs)


def moved(runs: pd.DataFrame) -> pd.DataFrame:
    """In one experiment every unit more is dead."""
    here = runs["experiment"].eq("causes") & ~runs["overflowed"]
    dead = {name: runs[name].where(~here, 1.0) for name in ("dead_fraction", "dead_fraction_probe")}
    return runs.assign(**dead)


def test_a_study_agrees_with_itself(published: Path) -> None:
    verification = verifying.verify(published, published)
    assert verification.cells["agrees"].all()
    assert verification.cells["same_scale"].all()
    assert set(verification.cells["metric"]) == set(verifying.METRICS)
    assert verification.conclusions_agree
    assert len(verification.verdicts) == len(claims.ordered()) + len(claims.ordered_findings())


def test_cells_that_moved_are_named(published: Path, small_study: Path, tmp_path: Path) -> None:
    verification = verifying.verify(copy_with(small_study, tmp_path, moved), published)
    wrong = verification.cells[~verification.cells["agrees"]]
    assert set(wrong["experiment"]) == {"causes"}
    assert set(wrong["metric"]) == {"dead_fraction"}
    console = Console(width=200, record=True)
    verifying.show(verification, console, cells=True)
    assert "Cells that disagree" in console.export_text()


def test_cells_that_diverge_on_one_side_only_do_not_vanish(
    published: Path, small_study: Path, tmp_path: Path
) -> None:
    def exploded(runs: pd.DataFrame) -> pd.DataFrame:
        """In one experiment every network but those of the smallest rate."""
        gone = runs["experiment"].eq("causes") & (runs["learning_rate"] > 0.01)
        return runs.assign(
            overflowed=runs["overflowed"] | gone,
            outcome=runs["outcome"].mask(gone, "diverged"),
            overflow_step=runs["overflow_step"].mask(gone, 1),
            peak_loss=runs["peak_loss"].mask(gone, float("inf")),
            **{name: runs[name].mask(gone) for name in NOT_OF_OVERFLOWED if name in runs},
        )

    assert verifying.verify(published, published).trained["agrees"].all()
    verification = verifying.verify(copy_with(small_study, tmp_path, exploded), published)
    assert verification.cells["agrees"].all()
    wrong = verification.trained[~verification.trained["agrees"]]
    assert set(wrong["experiment"]) == {"causes"}
    assert set(wrong["learning_rate"]) == {0.1, 1.0}
    assert (wrong["ours"] == 0).all()
    console = Console(width=200, record=True)
    verifying.show(verification, console, cells=True)
    assert "Shares of runs that trained, where they disagree" in console.export_text()


def test_another_scale_is_counted_apart(published: Path, small_study: Path, tmp_path: Path) -> None:
    other = copy_with(
        small_study, tmp_path, lambda runs: runs.assign(train_examples=2 * runs["train_examples"])
    )
    assert not verifying.verify(other, published).cells["same_scale"].any()


def test_a_contradicted_verdict_decides_and_an_open_one_does_not(
    published: Path, small_study: Path, tmp_path: Path
) -> None:
    ours = copy_with(small_study, tmp_path, lambda runs: runs)
    verdicts = pd.read_csv(ours / "claims.csv", keep_default_na=False)
    verdicts.loc[verdicts["claim"] == "C2", "verdict"] = claims.NOT_SETTLED
    claims.write(verdicts, ours / "claims.csv")
    assert verifying.verify(ours, published).conclusions_agree
    verdicts.loc[verdicts["claim"] == "C1", "verdict"] = claims.DOES_NOT_HOLD
    claims.write(verdicts, ours / "claims.csv")
    verification = verifying.verify(ours, published)
    assert list(verification.verdicts.loc[~verification.verdicts["agrees"], "claim"]) == ["C1"]
    assert not verification.conclusions_agree


def test_the_first_line_is_the_verdict_and_cells_come_on_request(
    published: Path, small_study: Path, tmp_path: Path
) -> None:
    ours = copy_with(small_study, tmp_path, moved)
    assert shown(verifying.verify(ours, published))[0].startswith("Agrees with the published study: ")
    assert not any("ells" in line for line in shown(verifying.verify(ours, published)))
    verdicts = pd.read_csv(ours / "claims.csv", keep_default_na=False)
    finding = claims.ordered_findings()[0].id
    verdicts.loc[verdicts["claim"] == "C1", "verdict"] = claims.DOES_NOT_HOLD
    verdicts.loc[verdicts["claim"] == finding, "verdict"] = claims.HOLDS
    claims.write(verdicts, ours / "claims.csv")
    assert "Does not agree with the published study: C1 differ" in shown(verifying.verify(ours, published))[0]
    claims.write(verdicts.assign(verdict=claims.NOT_SETTLED), ours / "claims.csv")
    assert shown(verifying.verify(ours, published))[0].startswith("Not settled: 0 of ")


def test_a_finding_left_open_by_the_published_study_contradicts_nothing_and_one_that_differs_does(
    small_study: Path, tmp_path: Path
) -> None:
    finding = claims.ordered_findings()[0].id
    sides = [copy_with(small_study, tmp_path / side, lambda runs: runs) for side in ("ours", "published")]

    def differing(*words: str) -> list[str]:
        for folder, word in zip(sides, words, strict=True):
            verdicts = pd.read_csv(folder / "claims.csv", keep_default_na=False)
            verdicts.loc[verdicts["claim"] == finding, "verdict"] = word
            claims.write(verdicts, folder / "claims.csv")
        table = verifying.verify(*sides).verdicts
        return list(table.loc[~table["agrees"], "claim"])

    assert differing(claims.HOLDS, claims.NOT_SETTLED) == []
    assert differing(claims.HOLDS, claims.DOES_NOT_HOLD) == [finding]


def shown(verification: verifying.Verification) -> list[str]:
    console = Console(width=200, record=True)
    verifying.show(verification, console)
    return console.export_text().splitlines()
