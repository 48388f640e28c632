import pandas as pd
import pytest
from made_up_benchmark import MLP, STUDY, measured

from benchmarks import figures, side_by_side, tables
from benchmarks.cases import CASES
from benchmarks.contestants import EARLIER, FULL, GEMM, JOBS, contestants
from dying_relu.errors import DyingReluError

ASKED_FOR = [
    "case",
    "method",
    "stack",
    "precision",
    "processes",
    "threads",
    "samples_per_s",
    "gflops",
    "share_of_peak",
    "ratio_to_usual",
    "ratio_to_torch_func",
]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return tables.summary(measured())


def row(table: pd.DataFrame, **wanted: object) -> pd.Series:
    found = table
    for column, value in wanted.items():
        found = found[found[column] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_the_columns_are_those_that_were_asked_for(table: pd.DataFrame) -> None:
    assert list(table.columns[: len(ASKED_FOR)]) == ASKED_FOR


def test_rates_are_medians_and_ratios_do_not_care_about_slow_rounds(table: pd.DataFrame) -> None:
    ours = row(table, method="stacked", stack=8, precision="float32")
    assert ours["samples_per_s"] == 2000
    assert (ours["slowest_samples_per_s"], ours["fastest_samples_per_s"], ours["rounds"]) == (1000, 4000, 3)
    assert ours["ratio_to_usual"] == pytest.approx(4)
    assert ours["gflops"] == pytest.approx(2000 * MLP.flops_per_sample / 1e9)


def test_the_usual_way_that_counts_is_the_one_with_a_process_per_core(table: pd.DataFrame) -> None:
    assert row(table, method="usual", processes=2)["ratio_to_usual"] == 1
    assert row(table, method="usual", processes=1)["ratio_to_usual"] == pytest.approx(0.4)


def test_torch_func_is_compared_at_the_stack_that_suits_it_best(table: pd.DataFrame) -> None:
    assert row(table, method="stacked", stack=16)["ratio_to_torch_func"] == pytest.approx(1.5)
    assert row(table, method="torch_func", stack=16)["ratio_to_torch_func"] == 1


def test_a_share_is_of_the_peak_in_the_same_precision_and_a_ratio_to_float32(table: pd.DataFrame) -> None:
    low = row(table, method="stacked", precision="bf16")
    high = row(table, method="stacked", stack=8, precision="float32")
    assert low["share_of_peak"] == pytest.approx(high["share_of_peak"] / 2)
    assert low["ratio_to_usual"] == pytest.approx(8)
    assert high["share_of_peak"] == pytest.approx(4000 * MLP.flops_per_sample / 10e9)


def test_a_product_of_matrices_has_no_ratio(table: pd.DataFrame) -> None:
    peak = table[table["method"] == GEMM]
    assert peak["ratio_to_usual"].isna().all()
    assert peak["ratio_to_torch_func"].isna().all()
    assert (peak["share_of_peak"] == 1).all()


def test_ours_is_compared_with_ours_of_an_earlier_commit(table: pd.DataFrame) -> None:
    assert row(table, method="stacked", stack=16)["ratio_to_earlier"] == pytest.approx(2.5)
    assert row(table, method=f"{EARLIER}164eb25")["ratio_to_earlier"] == 1


def test_networks_per_second_follow_from_the_samples_of_each(table: pd.DataFrame) -> None:
    ours = row(table, method="stacked", stack=16)
    assert ours["samples_per_network"] == MLP.samples_per_network
    assert ours["networks_per_s"] == pytest.approx(ours["samples_per_s"] / MLP.samples_per_network)
    assert table.loc[table["method"] == GEMM, "networks_per_s"].isna().all()


def test_a_table_of_an_earlier_commit_can_be_read(table: pd.DataFrame, tmp_path) -> None:
    new = ["ratio_to_earlier", "samples_per_network", "networks_per_s"]
    table[~table["method"].str.startswith(EARLIER)].drop(columns=new).to_csv(
        tmp_path / "engine.csv", index=False
    )
    assert tables.read(tmp_path / "engine.csv")[new].isna().all(axis=None)


def test_the_methods_stand_side_by_side(table: pd.DataFrame) -> None:
    shown = side_by_side.side_by_side(table)
    assert list(shown["precision"]) == ["float32", "bf16"]
    first = shown.iloc[0]
    rates = [first[method] for method in side_by_side.RATES]
    assert rates[:5] == [50, 200, 500, 1000, 1250]
    assert pd.isna(first["jax"])
    assert (first["earlier"], first["ours"], first["stack"]) == (600, 1500, 16)
    text = side_by_side.text(shown)
    assert "x earlier" in text
    assert "jax" not in text


def test_a_round_without_jobs_is_no_round_of_jobs() -> None:
    rows = measured()
    sparse = rows[(rows["method"] != JOBS) | (rows["round"] == 0)]
    jobs = row(tables.summary(sparse), method=JOBS)
    assert jobs["rounds"] == 1
    assert jobs["ratio_to_usual"] == pytest.approx(0.1)


def test_the_table_is_the_same_when_it_is_read_again(table: pd.DataFrame, tmp_path) -> None:
    tables.write(table, tmp_path / "engine.csv")
    pd.testing.assert_frame_equal(tables.read(tmp_path / "engine.csv"), table)


def test_a_missing_table_is_an_error_in_words(tmp_path) -> None:
    with pytest.raises(DyingReluError, match="python -m benchmarks engine"):
        tables.read(tmp_path / "engine.csv")


def test_the_plot_has_a_panel_a_case_and_a_curve_a_method(table: pd.DataFrame) -> None:
    (panel,) = figures.engine(table).axes
    assert panel.get_title() == "MLP, SGD, ReLU"
    curves = {line.get_label() for line in panel.get_lines()}
    assert {"ours", "ours, bf16", "torch.func", "usual loop, one process per core"} <= curves


def test_the_networks_of_a_study_are_not_plotted() -> None:
    assert len(figures.engine(tables.summary(measured([MLP.name, STUDY]))).axes) == 1


def test_on_one_core_no_contestant_is_measured_twice() -> None:
    found = contestants(MLP, FULL, "cpu", 1, ("float32",))
    assert len(found) == len(set(found))
    assert sum(contestant.method == "usual" for contestant in found) == 1


@pytest.mark.parametrize("case", ["mlp-sgd-relu", "cnn-adam-relu"])
def test_ours_is_measured_at_the_stack_that_it_chooses(case: str) -> None:
    found = contestants(CASES[case], FULL, "cpu", 2, ("float32",))
    assert [contestant.method for contestant in found if contestant.chosen] == ["stacked"]


def test_on_a_gpu_one_process_trains_larger_stacks_beside_the_usual_way() -> None:
    found = contestants(MLP, FULL, "cuda", 16, ("float32",))
    assert {contestant.layout.processes for contestant in found} == {1}
    assert {contestant.method for contestant in found} == {
        GEMM,
        "usual",
        "torch_func",
        "torch_func_compiled",
        "stacked",
    }
    stacks = [contestant.stack for contestant in found if contestant.method == "stacked"]
    assert tuple(stacks) == FULL.cuda_stacks["mlp"]
