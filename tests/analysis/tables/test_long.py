"""The table of long training: means over networks, with an interval where there are enough of them."""

import pytest
from small_study import CONFIGURATION, write_small_study

from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables import long


@pytest.mark.parametrize(("replicates", "with_interval"), [(2, False), (3, True)])
def test_two_seeds_have_no_interval(replicates, with_interval, tmp_path) -> None:
    write_small_study(tmp_path / "study", replicates=replicates, experiments=("causes",))
    study = StudyResults(tmp_path / "study", CONFIGURATION)
    runs = study.table("runs")
    some = runs[runs["experiment"] == runs["experiment"].iloc[0]].assign(
        experiment="long", outcome="trained", test_accuracy=0.5 + 0.1 * runs["replicate"]
    )
    study.table = lambda name: some
    assert ("[" in long.table(study)) == with_interval
