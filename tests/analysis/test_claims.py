"""Verdicts follow the tables: on a study whose effects are known, and on tables in which one effect was turned round."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small_study import ORIGIN, write_small_study

from dying_relu import configuration, results, schemas
from dying_relu.analysis import claims
from dying_relu.analysis.claims import LIMITED, NOT_ENOUGH_DATA, REFUTED, SUPPORTED
from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.mechanism import deaths
from dying_relu.analysis.claims.verdict import CLAIMS, each, exceeds
from dying_relu.errors import DyingReluError

CONFIG = Path(__file__).parents[2] / "config"
Change = Callable[[pd.DataFrame], pd.DataFrame]

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


def settled(folder: Path, claim: str) -> pd.Series:
    return claims.settle(folder, [claim]).iloc[0]


@pytest.fixture
def altered(small_study: Path, tmp_path: Path) -> Callable[[str, Change], Path]:
    """A copy of the small study with one table changed."""

    def alter(name: str, change: Change) -> Path:
        folder = tmp_path / "altered"
        if not folder.exists():
            shutil.copytree(small_study, folder)
        path = folder / f"{name}.parquet"
        results.write(name, change(results.read(name, path)), path, ORIGIN)
        return folder

    return alter


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
def test_effects_that_were_built_in_are_found(verdicts: pd.DataFrame, claim: str, verdict: str) -> None:
    assert verdicts.set_index("claim").loc[claim, "verdict"] == verdict


def test_the_table_survives_its_file(verdicts: pd.DataFrame, tmp_path: Path) -> None:
    verdicts.to_csv(tmp_path / "claims.csv", index=False)
    read = claims.read(tmp_path / "claims.csv")
    pd.testing.assert_frame_equal(
        read.drop(columns="details"), verdicts.drop(columns="details"), check_exact=False
    )
    declared = {claim.id: set(claim.details) for claim in claims.ordered()}
    for row in read.itertuples():
        assert set(row.details) <= declared[row.claim]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.iloc[1:], "found verdicts on C2, C3"),
        (lambda table: table.drop(columns="rule"), "found the columns claim, statement"),
        (lambda table: table.assign(details="{"), "found Expecting property name"),
    ],
)
def test_a_file_without_all_verdicts_is_named(
    change: Callable, said: str, verdicts: pd.DataFrame, tmp_path: Path
) -> None:
    change(verdicts).to_csv(tmp_path / "claims.csv", index=False)
    with pytest.raises(
        DyingReluError, match=rf"claims\.csv does not hold the verdicts on all claims: {said}"
    ):
        claims.read(tmp_path / "claims.csv")


def test_the_order_of_rows_does_not_matter(altered: Callable, verdicts: pd.DataFrame) -> None:
    for name in schemas.TABLES:
        folder = altered(name, lambda table: table.sample(frac=1, random_state=1))
    shuffled = claims.settle(folder)
    assert list(shuffled["verdict"]) == list(verdicts["verdict"])
    assert shuffled["effect"].to_numpy() == pytest.approx(verdicts["effect"].to_numpy())


def test_a_missing_experiment_is_named(tmp_path: Path) -> None:
    write_small_study(tmp_path, experiments=("causes",))
    verdicts = claims.settle(tmp_path).set_index("claim")
    assert verdicts.loc["C6", "verdict"] == SUPPORTED
    for claim, experiment in {"C3": "recovery", "C8": "anatomy", "C10": "remedies", "C11": "slopes"}.items():
        assert verdicts.loc[claim, "verdict"] == NOT_ENOUGH_DATA
        assert verdicts.loc[claim, "note"] == f"the study has no experiment '{experiment}'"
        assert pd.isna(verdicts.loc[claim, "effect"])


def test_two_replicates_settle_nothing_but_the_identity(tmp_path: Path) -> None:
    write_small_study(tmp_path, replicates=2)
    verdicts = claims.settle(tmp_path).set_index("claim")["verdict"]
    assert verdicts["C1"] == SUPPORTED
    assert (verdicts.drop("C1") == NOT_ENOUGH_DATA).all()


def test_units_that_are_dead_on_all_examples_support_c2(altered: Callable) -> None:
    folder = altered("runs", lambda t: t.assign(dead_on_both_fraction=t["dead_fraction"]))
    assert settled(folder, "C2")["verdict"] == SUPPORTED


def test_units_that_wake_on_test_examples_refute_c2(altered: Callable) -> None:
    """Even where the counts on both probe sets are the same."""
    changed = {"dead_fraction_test": "dead_fraction", "dead_on_both_fraction": None}
    folder = altered(
        "runs", lambda t: t.assign(**{k: t[v] if v else 0 * t["dead_fraction"] for k, v in changed.items()})
    )
    found = settled(folder, "C2")
    assert (found["verdict"], found["effect"]) == (REFUTED, 1.0)


def test_units_that_all_return_refute_c3_and_c4(altered: Callable) -> None:
    def alive_at_the_end(units: pd.DataFrame) -> pd.DataFrame:
        last = units.groupby("run")["step"].transform("max")
        return units.assign(dead=units["dead"] & (units["step"] < last))

    verdicts = claims.settle(altered("units", alive_at_the_end)).set_index("claim")
    assert verdicts.loc["C3", "verdict"] == REFUTED
    assert verdicts.loc["C4", "verdict"] == REFUTED
    assert verdicts.loc["C4", "effect"] == 1.0


def details(row: pd.Series) -> dict:
    """Of a row of verdicts, the further numbers."""
    return json.loads(row["details"])


def test_c2_names_what_sampling_does_and_asks_mlps_and_cnns_apart(altered: Callable) -> None:
    """Half of the units that are dead on a set of examples are alive on the other set, in CNNs only."""

    def in_half(runs: pd.DataFrame) -> pd.DataFrame:
        here = runs["architecture"] == "cnn"
        both = runs["dead_fraction"].where(~here, (runs["dead_fraction"] * 12).round() / 24)
        return runs.assign(dead_fraction_test=runs["dead_fraction"], dead_on_both_fraction=both)

    found = details(settled(altered("runs", in_half), "C2"))
    assert found["Mlp"] == [0, 0, 0]
    assert found["Cnn"][0] == pytest.approx(0.5, abs=0.02)
    assert found["Reverse"][0] == pytest.approx(0.25, abs=0.02)
    assert found["Sampling"] == "most"


def test_units_that_are_dead_on_all_held_out_examples_too_owe_nothing_to_sampling(altered: Callable) -> None:
    folder = altered("runs", lambda t: t.assign(dead_fraction_test=t["dead_on_both_fraction"]))
    found = details(settled(folder, "C2"))
    assert found["Reverse"] == [0, 0, 0]
    assert found["Sampling"] == "a part"


def test_a_study_that_records_no_units_still_settles_c2(tmp_path: Path) -> None:
    write_small_study(tmp_path, experiments=("causes",))
    found = settled(tmp_path, "C2")
    assert found["effect"] > 0
    assert details(found)["Recovery"] is None


@pytest.mark.parametrize("what", ["examples", "minibatches"])
def test_c3_reads_who_woke_at_the_next_checkpoint(altered: Callable, what: str) -> None:
    folder = altered("units", lambda t: t.assign(**{f"woken_{what}": t[f"woken_{what}"] * 0 + 0.375}))
    found = details(settled(folder, "C3"))
    assert found["PerExample" if what == "examples" else "PerMinibatch"] == pytest.approx([0.375] * 3)


def test_c3_counts_an_example_as_often_as_units_are_not_active_on_it(altered: Callable) -> None:
    """Units that are active on all examples have none to wake on; half of those of the others wake."""

    def half_awake(units: pd.DataFrame) -> pd.DataFrame:
        awake = units["unit"] % 2 == 0
        woken = units["woken_examples"].mask(awake, 1.0).mask(~awake, 0.5)
        return units.assign(
            active_share=(units["active_share"] * 0 + 1).mask(~awake, 0.25),
            woken_examples=woken.where(units["step"] > 0),
        )

    found = details(settled(altered("units", half_awake), "C3"))
    assert found["PerExample"] == pytest.approx([0.5] * 3)


def test_c3_is_supported_only_if_units_that_sleep_on_an_example_sleep_on_all(altered: Callable) -> None:
    def all_or_nothing(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(active_share=(units["active_share"] * 0).mask(~units["dead"], 1.0))

    found = settled(altered("units", all_or_nothing), "C3")
    assert (found["verdict"], details(found)["AliveElsewhere"]) == (SUPPORTED, [0, 0, 0])


def renamed(optimiser: str) -> Change:
    return lambda runs: runs.assign(optimiser=runs["optimiser"].replace("adam", optimiser))


def test_c4_reports_every_optimiser_by_itself(altered: Callable, verdicts: pd.DataFrame) -> None:
    before = details(verdicts.set_index("claim").loc["C4"])
    assert before["SgdFirst"] == 0 < before["SgdDeeper"]
    assert before["AdamFirst"] >= 0 < before["AdamDeeper"]
    assert before["MomentumFirst"] is before["SgdDecayFirst"] is before["MomentumDecayDeeper"] is None
    after = details(settled(altered("runs", renamed("momentum_weight_decay")), "C4"))
    assert after["MomentumDecayDeeper"] == before["AdamDeeper"]
    assert after["AdamDeeper"] is None


def test_units_that_keep_bias_and_weights_are_frozen_and_those_of_which_one_moved_are_not(
    altered: Callable, verdicts: pd.DataFrame
) -> None:
    before = details(verdicts.set_index("claim").loc["C4"])
    assert before["FrozenIntervals"] > 0
    assert before["FrozenRevivals"] == before["DecayIntervals"] == 0
    for moved in ("bias", "weight_norm"):
        after = details(
            settled(altered("units", lambda t, moved=moved: t.assign(**{moved: t[moved] + t["step"]})), "C4")
        )
        assert after["FrozenIntervals"] == 0


def test_weight_decay_shrinks_bias_and_weights_together(altered: Callable, verdicts: pd.DataFrame) -> None:
    before = details(verdicts.set_index("claim").loc["C4"])
    altered("runs", lambda t: t.assign(optimiser=t["optimiser"].replace("sgd", "sgd_weight_decay")))

    def decayed(units: pd.DataFrame) -> pd.DataFrame:
        left = 0.99 ** units["step"].clip(upper=16)
        return units.assign(bias=units["bias"] * left, weight_norm=units["weight_norm"] * left)

    after = details(settled(altered("units", decayed), "C4"))
    assert after["DecayIntervals"] == before["FrozenIntervals"]
    assert after["DecayRevivals"] == after["FrozenIntervals"] == 0


def test_networks_that_cannot_be_pruned_are_not_counted(altered: Callable, verdicts: pd.DataFrame) -> None:
    before = details(verdicts.set_index("claim").loc["C4"])["PrunedNetworks"]

    def unprunable(runs: pd.DataFrame) -> pd.DataFrame:
        cnn = runs["architecture"] == "cnn"
        return runs.assign(
            pruned_difference=runs["pruned_difference"].mask(cnn),
            pruned_answers=runs["pruned_answers"].mask(cnn),
        )

    assert 0 < details(settled(altered("runs", unprunable), "C4"))["PrunedNetworks"] < before


def test_c5_correlates_dead_units_with_what_is_lost(verdicts: pd.DataFrame) -> None:
    """Rank is the share of live units in the synthetic study, and accuracy falls with the stuck ones."""
    found = details(verdicts.set_index("claim").loc["C5"])
    assert found["RankCorrelation"] == [-1, -1, -1]
    assert -1 <= found["AccuracyCorrelation"][0] < -0.9


def test_c6_answers_for_every_optimiser(altered: Callable) -> None:
    """Under Adam no rate kills, and none diverges."""

    def spared(runs: pd.DataFrame) -> pd.DataFrame:
        adam = (runs["experiment"] == "optimisers") & (runs["optimiser"] == "adam")
        runs = runs[~(adam & runs["diverged"])]
        return runs.assign(dead_fraction=runs["dead_fraction"].mask(adam, 0.0))

    found = settled(altered("runs", spared), "C6")
    numbers = details(found)
    assert found["verdict"] == LIMITED
    assert numbers["Adam"] == [0, 0, 0]
    assert numbers["Sgd"][1] > 0.05 < numbers["Momentum"][1]
    assert (numbers["Cases"], numbers["AtEdge"]) == (12, 4)
    assert numbers["Rates"] == "0.01 to 1 (sgd), 0.01 to 1 (momentum) and 0.01 to 1 (adam)"


def test_a_dead_unit_with_an_output_refutes_c4(altered: Callable) -> None:
    folder = altered("units", lambda t: t.assign(mean_abs_activation=t["mean_abs_activation"] + 1e-9))
    found = settled(folder, "C4")
    assert (found["verdict"], found["note"]) == (REFUTED, "a dead unit had an output other than zero")


def test_networks_in_which_nothing_dies_refute_c5_and_c6(altered: Callable) -> None:
    columns = ["dead_fraction", "died_fraction"]
    folder = altered("runs", lambda t: t.assign(**{name: t[name] * 0 for name in columns}))
    verdicts = claims.settle(folder).set_index("claim")["verdict"]
    assert verdicts["C5"] == verdicts["C6"] == verdicts["C7"] == REFUTED
    assert verdicts["C13"] == NOT_ENOUGH_DATA


def test_rates_that_make_any_replicate_diverge_do_not_count_as_deadly(altered: Callable) -> None:
    """Death at a rate at which one replicate diverged must not change what C6 says."""

    def kill_beside_divergence(runs: pd.DataFrame) -> pd.DataFrame:
        fast = runs["learning_rate"] == 1.0
        first = fast & (runs["replicate"] == 0)
        metrics = [
            c for c in runs if c.endswith(("_loss", "_accuracy", "_fraction", "_fraction_test", "mean_slope"))
        ]
        runs.loc[fast, "dead_fraction"] = 1.0
        runs.loc[first, metrics] = float("nan")
        return runs.assign(
            diverged=runs["diverged"] | first, diverged_step=runs["diverged_step"].mask(first, 1)
        )

    found = settled(altered("runs", kill_beside_divergence), "C6")
    assert found["effect"] < 0.5


def test_a_higher_rate_that_saves_units_refutes_c13(altered: Callable) -> None:
    def turned_round(runs: pd.DataFrame) -> pd.DataFrame:
        saved = 1 - runs["learning_rate"].clip(upper=1)
        return runs.assign(dead_fraction=saved.where(~runs["diverged"]))

    found = settled(altered("runs", turned_round), "C13")
    assert (found["verdict"], found["effect"]) == (REFUTED, 0.0)


def u_shaped(runs: pd.DataFrame) -> pd.DataFrame:
    """Fewest units are dead at the middle rate."""
    fraction = runs["learning_rate"].map({0.01: 0.5, 0.1: 0.0, 1.0: 0.5})
    return runs.assign(dead_fraction=fraction.where(~runs["diverged"]))


def test_one_case_among_many_needs_more_than_one_interval_would() -> None:
    """A rise that is sure by itself in one case of twelve may be chance: one replicate does not share it."""
    values = pd.DataFrame(
        [(f"case {case}", replicate, 0.0) for case in range(12) for replicate in range(5)],
        columns=["stratum", "replicate", "value"],
    )
    here = values["stratum"] == "case 0"
    alone = values.assign(value=values["value"].mask(here & (values["replicate"] > 0), 0.2))
    assert each(alone)["case 0"].low > 0.06
    assert exceeds(alone, 0.06)[0] != LIMITED
    shared = values.assign(value=values["value"].mask(here, 0.2))
    assert exceeds(shared, 0.06)[0] == LIMITED


def test_a_u_shape_helps_and_hurts_and_refutes_c13(altered: Callable) -> None:
    """The lowest and the highest rate are alike, which would say nothing by themselves."""
    found = settled(altered("runs", u_shaped), "C13")
    numbers = details(found)
    assert numbers["Helps"] == numbers["Hurts"] == numbers["Both"] == numbers["Settings"] == 12
    assert numbers["FewestAt"] == "0.1 at bias 0, 0.1 at bias -1 and 0.1 at bias -4"
    assert found["verdict"] == REFUTED


def test_a_lower_rate_that_hurts_in_fewer_settings_limits_c13(altered: Callable) -> None:
    def hurts_at_one_bias(runs: pd.DataFrame) -> pd.DataFrame:
        fraction = runs["learning_rate"].map({0.01: 0.0, 0.1: 0.25, 1.0: 0.5})
        fraction = fraction.mask(runs["initial_bias"] == -4, 0.5 - fraction)
        return runs.assign(dead_fraction=fraction.where(~runs["diverged"]))

    found = settled(altered("runs", hurts_at_one_bias), "C13")
    numbers = details(found)
    assert (numbers["Helps"], numbers["Hurts"], numbers["Both"]) == (8, 4, 0)
    assert numbers["FewestAt"] == "0.01 at bias 0, 0.01 at bias -1 and 1 at bias -4"
    assert found["verdict"] == LIMITED


def test_weights_that_move_with_the_bias_support_the_posts_update(altered: Callable) -> None:
    found = settled(altered("units", lambda t: t.assign(weight_norm=t["weight_norm"] + t["step"])), "C8")
    assert (found["verdict"], found["effect"]) == (SUPPORTED, 0.0)


def test_the_bias_is_blamed_where_it_makes_the_whole_fall(altered: Callable) -> None:
    def by_bias(units: pd.DataFrame) -> pd.DataFrame:
        highest = units["pre_activation_max"]
        before = highest.groupby([units[name] for name in ("run", "layer", "unit")]).shift(1)
        unmoved = {f"pre_activation_max_new_{what}": before for what in ("weights", "inputs")}
        return units.assign(bias=highest, **unmoved)

    found = settled(altered("units", by_bias), "C7")
    assert found["verdict"] == SUPPORTED
    assert details(found)["BiasPart"] == details(found)["BiasLargest"] == [1, 1, 1]
    assert details(found)["WeightsPart"] == details(found)["InputsPart"] == [0, 0, 0]


def test_a_few_explosions_do_not_change_what_kills(altered: Callable, verdicts: pd.DataFrame) -> None:
    """In the synthetic study a quarter of each fall is the bias's; of one unit in fifty it is ten thousandfold."""

    def exploded(units: pd.DataFrame) -> pd.DataFrame:
        few = (units["unit"] == 0) & (units["layer"] == "linear2") & (units["step"] == 64)
        return units.assign(bias=units["bias"].mask(few, -1e5))

    before = details(verdicts.set_index("claim").loc["C7"])
    after = details(settled(altered("units", exploded), "C7"))
    assert before["BiasPart"] == pytest.approx([0.25] * 3, abs=1e-4)
    assert after["BiasPart"] == pytest.approx(before["BiasPart"], abs=1e-4)
    assert before["Deaths"] == after["Deaths"] > 0


def test_networks_born_dead_at_bias_zero_support_c9(altered: Callable) -> None:
    folder = altered("units", lambda t: t.assign(dead=True, inactive=True))
    assert settled(folder, "C9")["verdict"] == SUPPORTED


def test_a_death_is_split_by_what_moved_the_unit(small_study: Path) -> None:
    """As built: a quarter of every fall is due to the bias, and in the first layer the rest to the weights."""
    found = deaths(Evidence(small_study))
    assert set(found["optimiser"]) == {"sgd", "adam"}
    assert found["of_fall_by_bias"].to_numpy() == pytest.approx(0.25, abs=1e-5)
    first = found[found["place"] == "first layer"]
    assert (first["largest"] == "by_weights").all()
    by_weights = 0.75 * first["fall"]
    assert (first["enough_by_weights"] == (by_weights >= first["pre_activation_max"])).all()
    assert not first["enough_by_inputs"].any()
    details = json.loads(settled(small_study, "C8")["details"])
    assert details["BiasOfFall"] == pytest.approx([0.25] * 3)
    assert details["BiasEnough"][1] < details["BiasEnough"][0] < details["BiasEnough"][2]


def test_without_deaths_step_by_step_the_posts_update_is_settled_all_the_same(altered: Callable) -> None:
    """Units that are dead from the start tell the two formulas apart, too."""
    folder = altered("units", lambda t: t.assign(dead=True, inactive=True, weight_norm=1.0))
    found = settled(folder, "C8")
    assert found["verdict"] == REFUTED
    assert "BiasOfFall" not in found["details"]


def test_networks_that_start_alike_are_counted_once(small_study: Path) -> None:
    """Two data sets, two architectures, three replicates of 24 units, whatever the optimiser and the rate."""
    found = settled(small_study, "C9")
    assert json.loads(found["details"])["Units"] == 2 * 2 * 3 * 24
    assert found["n"] == 2 * 2 * 3


def test_negative_weights_of_units_that_die_are_reported(altered: Callable) -> None:
    def turned(units: pd.DataFrame) -> pd.DataFrame:
        return units.assign(negative_weights=0.5 + 0.3 * units["dead"])

    found = settled(altered("units", turned), "C9")
    details = json.loads(found["details"])
    assert found["verdict"] == REFUTED
    assert "dead units have more negative weights (first layer and deeper layers)" in found["note"]
    for name in ("AtDeath", "DeadFirst", "DeadDeeper"):
        assert details[name] == pytest.approx([0.3] * 3)


@pytest.mark.parametrize(("penalty", "verdict"), [(0.2, LIMITED), (1.0, REFUTED)])
def test_a_leaky_relu_that_does_worse_limits_or_refutes_c10(
    altered: Callable, penalty: float, verdict: str
) -> None:
    def penalised(runs: pd.DataFrame) -> pd.DataFrame:
        leaky = runs["activation"] == "leaky_relu"
        return runs.assign(test_accuracy=(runs["test_accuracy"] - penalty * leaky).clip(lower=0))

    assert settled(altered("runs", penalised), "C10")["verdict"] == verdict


def test_a_leaky_relu_that_diverges_scores_as_a_constant_answer(altered: Callable) -> None:
    def diverged(runs: pd.DataFrame) -> pd.DataFrame:
        leaky = (runs["activation"] == "leaky_relu") & (runs["experiment"] == "remedies")
        metrics = [
            c for c in runs if c.endswith(("_loss", "_accuracy", "_fraction", "_fraction_test", "mean_slope"))
        ]
        runs.loc[leaky, metrics] = float("nan")
        return runs.assign(
            diverged=runs["diverged"] | leaky, diverged_step=runs["diverged_step"].mask(leaky, 1)
        )

    assert settled(altered("runs", diverged), "C10")["verdict"] == REFUTED


def test_the_best_other_remedy_is_one_of_those_that_are_not_leaky(small_study: Path) -> None:
    """Six other activations, of which each, and leaky ReLU and ReLU, also has the default initialisation; clipping, a lower rate."""
    details = json.loads(finding(small_study, "C10"))
    assert details["Remedies"] in ("16", "15 to 16")
    assert details["WorstGap"] <= details["BestGap"]


def test_a_lower_rate_can_be_the_best_other_remedy(altered: Callable) -> None:
    def saved(runs: pd.DataFrame) -> pd.DataFrame:
        slow = (runs["learning_rate"] == 0.01) & (runs["activation"] == "relu")
        return runs.assign(test_accuracy=runs["test_accuracy"].mask(slow & ~runs["diverged"], 0.99))

    assert "lower rate (0.01)" in json.loads(finding(altered("runs", saved), "C10"))["BestOther"]


def finding(folder: Path, claim: str) -> str:
    return settled(folder, claim)["details"]


def test_learned_slopes_are_told_by_layer_and_divergence_by_experiment(altered: Callable) -> None:
    def learned(layers: pd.DataFrame) -> pd.DataFrame:
        return layers.assign(slope=layers["depth"].map({1: -0.5, 2: 0.75}).where(layers["slope"] > 0.2))

    def diverged(runs: pd.DataFrame) -> pd.DataFrame:
        lost = (runs["experiment"] == "slopes") & (runs["activation"] == "prelu") & (runs["replicate"] == 0)
        metrics = [
            c for c in runs if c.endswith(("_loss", "_accuracy", "_fraction", "_fraction_test", "mean_slope"))
        ]
        runs.loc[lost, metrics] = float("nan")
        return runs.assign(
            diverged=runs["diverged"] | lost, diverged_step=runs["diverged_step"].mask(lost, 1)
        )

    altered("layers", learned)
    details = json.loads(finding(altered("runs", diverged), "C12"))
    for rate in ("LowRate", "HighRate"):
        assert (details[f"{rate}First"], details[f"{rate}Deeper"]) == (-0.5, 0.75)
    assert (details["NegativeSlopes"], details["LowestSlope"]) == (0.5, -0.5)
    assert details["DivergedSlopes"] == pytest.approx(1 / 3)
    assert details["DivergedRemedies"] == 0
    assert details["DivergedRates"] == "4 of 12 at rate 0.1"


def test_a_tiny_slope_that_rescues_supports_c11(altered: Callable) -> None:
    def rescued(runs: pd.DataFrame) -> pd.DataFrame:
        tiny = (runs["activation"] == "leaky_relu") & (runs["slope"] < 0.005)
        return runs.assign(test_accuracy=runs["test_accuracy"].mask(tiny, 0.9))

    found = settled(altered("runs", rescued), "C11")
    assert (found["verdict"], found["effect"]) == (SUPPORTED, pytest.approx(1, abs=0.01))


def test_where_relu_does_well_there_is_nothing_to_rescue(altered: Callable) -> None:
    folder = altered("runs", lambda t: t.assign(test_accuracy=t["test_accuracy"].mask(~t["diverged"], 0.9)))
    found = settled(folder, "C11")
    assert found["verdict"] == NOT_ENOUGH_DATA
    assert "nothing to rescue" in found["note"]


def test_slopes_that_stay_refute_c12(altered: Callable) -> None:
    assert settled(altered("runs", lambda t: t.assign(mean_slope=t["slope"])), "C12")["verdict"] == REFUTED
