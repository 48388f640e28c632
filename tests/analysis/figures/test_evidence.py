"""What a figure shows are the numbers that the verdicts rest on: recomputed by hand, or those of the findings themselves."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from planted_findings import PLANTED, evidence, tables_of
from planted_study import evidence as of_claims

from dying_relu.analysis.claims import ordered_findings
from dying_relu.analysis.claims.c10_leaky_is_best import leaky_is_best
from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.verdict import Finding
from dying_relu.analysis.figures import fuse, law, mean_of_inputs, phase_diagram, price, remedies, when
from dying_relu.analysis.findings.f3_fuse import ARMS
from dying_relu.analysis.findings.layers import with_new_dead
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.remedies import LEAKY


@pytest.fixture(scope="module")
def planted() -> Evidence:
    return evidence(PLANTED)


def finding(name: str, of_study: Evidence) -> Finding:
    return next(one for one in ordered_findings() if one.id == name).finding(of_study)


def cells(name: str, of_study: Evidence) -> dict[str, Interval]:
    """The interval of every cell of a finding, by the cell's name."""
    return {one.cell.name: one.interval for one in finding(name, of_study).cells}


def mean(detail: Any) -> float:
    assert isinstance(detail, Interval)
    return detail.estimate


def test_the_units_without_a_mean_are_those_of_the_finding(planted: Evidence) -> None:
    details = finding("F1a", planted).details
    networks = mean_of_inputs.shares(planted)
    dead, units = mean_of_inputs.newly_dead_units(planted, networks)
    assert (dead, units) == (details["NewlyDead"], details["Units"])
    assert units > 0


def test_the_curves_over_the_rate_are_medians_of_the_table_of_layers() -> None:
    tables = tables_of(PLANTED)
    runs, layers = tables["runs"], tables["layers"]
    figure = mean_of_inputs.figure(runs, layers)
    here = runs.query("experiment == 'mean_inputs' and dataset == 'cifar10' and optimiser == 'adam'")
    last = layers[(layers["step"] == 200) & (layers["depth"] == 1) & (layers["probe"] == "train")]
    both = here.merge(last, on="run")
    share = both["new_dead_all"].astype(float) / both["units"]
    expected = share.groupby([both["inputs"], both["learning_rate"]]).median()
    panel = next(axes for axes in figure.axes if axes.get_title().startswith("CIFAR-10, Adam"))
    curves = [line for line in panel.lines if line.get_marker() in ("o", "s", "^")]
    shown = sorted(tuple(line.get_ydata()) for line in curves)
    assert shown == sorted(tuple(expected[inputs]) for inputs in ("centred", "random_60"))
    plt.close(figure)


@pytest.mark.parametrize(("optimiser", "name"), [("sgd", "F2a"), ("adam", "F2b")])
def test_the_onsets_scatter_as_the_finding_says(optimiser: str, name: str, planted: Evidence) -> None:
    table, of_figure = law.points(planted, optimiser)
    details = finding(name, planted).details
    assert of_figure.details["Error"] == details["Error"]
    held_out = table[table["held_out"]]
    assert len(held_out) == details["Settings"]
    error = np.log2(held_out["estimate"] / held_out["predicted"])
    # Of the medians over seeds, beside the median over seeds of each seed's own.
    assert float(error.std(ddof=1)) == pytest.approx(mean(details["Error"]), rel=0.1)
    fitted = table[~table["held_out"]].dropna(subset="estimate")
    if optimiser == "adam":
        logs = np.log2(fitted["estimate"] / fitted["predicted"])
        assert logs.mean() == pytest.approx(0, abs=1e-6)
    inside = held_out[held_out["inside"]]
    known = inside.dropna(subset=["low", "high"])
    assert len(known) > 0
    assert (known["low"] <= known["high"]).all()


def test_an_onset_that_was_predicted_and_did_not_come_is_drawn_at_the_end_of_the_grid() -> None:
    of_study = evidence(
        runs=lambda runs: runs[(runs["learning_rate"] < 1) | ~runs["experiment"].str.startswith("law")]
    )
    table, _ = law.points(of_study, "sgd")
    ends = table[~table["inside"] & table["estimate"].notna()]
    rates = of_study.runs.query("experiment == 'law_held_out'")["learning_rate"]
    assert set(ends["estimate"]) <= {rates.min(), rates.max()}


def test_the_line_in_the_phase_diagram_is_the_one_that_separates(planted: Evidence) -> None:
    networks = phase_diagram.shares(planted)
    for _, here in networks.groupby("dataset"):
        line = phase_diagram.line(planted, here.assign(rho=here["inputs"].map(RHO)), "sgd")
        rates = 56 * 1.0 / NORMS**2
        assert line.to_numpy() == pytest.approx(rates)


NORMS = np.array([3.0, 6.0, 12.0])
RHO = {"random_0": 0.0, "random_15": 0.15, "random_45": 0.45, "random_75": 0.75}


def test_a_cell_of_the_phase_diagram_has_the_median_of_finite_networks(planted: Evidence) -> None:
    networks = phase_diagram.shares(planted)
    here = networks[networks["dataset"] == "mnist"]
    here = here.assign(rho=here["inputs"].map(RHO))
    dead = phase_diagram.cells(here, here["new_dead"], "median")
    again = with_new_dead(planted, here, 1).pivot_table(
        "new_dead", index="rho", columns="learning_rate", aggfunc="median"
    )
    pd.testing.assert_frame_equal(dead, again, check_names=False)


def test_the_arms_of_the_fuse_overflow_as_often_as_the_finding_says(planted: Evidence) -> None:
    details = finding("F3a", planted).details
    table, counts = fuse.overflows(planted)
    of_mlps = table[table["network"] == "MLP"]
    assert sum(counts.values()) == details["Cells"]
    for name, arm in ARMS.items():
        here = of_mlps[(of_mlps["intervention"] == arm) & ~of_mlps["leaky"]]
        assert here["share"].mean() == pytest.approx(mean(details[name])), name
    for name, arm in {"LeakyTwin": "none", "ReluAtSpike": "relu_at_spike"}.items():
        here = of_mlps[(of_mlps["intervention"] == arm) & of_mlps["leaky"]]
        assert here["share"].mean() == pytest.approx(mean(details[name])), name


def test_every_arm_of_the_finding_has_a_row() -> None:
    arms = {(arm.intervention, arm.leaky) for group in fuse.GROUPS.values() for arm in group}
    assert {(arm, False) for arm in ARMS.values()} | {("none", True), ("relu_at_spike", True)} == arms


def test_a_study_without_convolutions_says_so() -> None:
    tables = tables_of(PLANTED)
    runs = tables["runs"]
    figure = fuse.figure(runs[runs["experiment"] != "fuse_cnn"], tables["layers"])
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels[1] == "CNNs: not measured in this study"
    plt.close(figure)


def test_losses_with_few_living_units_are_those_of_the_finding(planted: Evidence) -> None:
    table = price.losses(planted)
    margins = cells("F4a", planted)
    for (width, living), here in table.groupby(["width", "living"]):
        side = 1 if living == 10 else -1
        margin = margins[f"{living:.0f} of {width} units"].estimate
        assert here["loss"].median() == pytest.approx(planted.thresholds.living_loss - side * margin)
    assert len(table.groupby(["width", "living"])) == 6


def test_parts_of_the_damage_are_those_of_the_findings(planted: Evidence) -> None:
    table = price.of_damage(planted)
    strictly, nearly = cells("F4b", planted), finding("F4c", planted)
    for words, interval in strictly.items():
        own = table[(table["kind"] == price.DEAD) & ~table["placebo"] & (table["damage"] == words)]
        assert own["part"].median() == pytest.approx(interval.estimate)
    for placebo, detail in ((False, "Part"), (True, "RandomPart")):
        here = table[(table["kind"] == price.NEARLY) & (table["placebo"] == placebo)]
        assert here["part"].mean() == pytest.approx(mean(nearly.details[detail]))


def test_gains_by_renewing_differ_as_the_finding_says(planted: Evidence) -> None:
    table = price.of_damage(planted)
    renewed = table[table["kind"] == "renewed"]
    for words, interval in cells("F4d", planted).items():
        here = renewed[renewed["damage"] == words]
        dead, living = (
            here[here["placebo"] == placebo].set_index("replicate")["gain"] for placebo in (False, True)
        )
        assert (dead - living).median() == pytest.approx(interval.estimate)


def test_deaths_by_step_20_are_those_of_the_findings(planted: Evidence) -> None:
    table = when.progress(planted)
    soon = table[table["since"] == 20]
    medians = soon.groupby(["optimiser", "learning_rate", "intervention"])["share"].median()
    judged = {**cells("F5a", planted), **cells("F5b", planted)}
    shown = sorted(medians.dropna())
    assert shown == pytest.approx(sorted(interval.estimate for interval in judged.values()))
    assert len(shown) > 4


def test_shown_checkpoints_keep_step_20_and_the_end() -> None:
    steps = [1, 5, 10, 20, 25, 30, 40, 300, 305, 310, 320, 700]
    table = pd.DataFrame({"since": steps, "intervention": "none"})
    assert table.loc[when.spread_out(table), "since"].tolist() == [1, 5, 10, 20, 30, 300, 700]


def test_leaky_relu_loses_to_the_best_remedy_by_what_the_claim_says() -> None:
    of_study = of_claims()
    table = remedies.differences(of_study.runs)
    gap = -mean(leaky_is_best(of_study).effect)
    assert table.groupby("remedy")["difference"].mean().max() == pytest.approx(gap, abs=0.01)
    assert LEAKY not in set(table["remedy"])


def test_every_network_that_did_not_train_is_marked() -> None:
    of_study = of_claims()
    runs = of_study.runs
    lost = runs.assign(
        outcome=runs["outcome"].mask(runs["experiment"].str.startswith("remedies"), "collapsed")
    )
    figure = remedies.figure(lost)
    panel = figure.axes[0]
    crosses = [line for line in panel.lines if line.get_marker() == "x" and len(line.get_xdata())]
    marked = sum(len(line.get_xdata()) for line in crosses)
    assert marked >= len(panel.get_yticks())
    plt.close(figure)
