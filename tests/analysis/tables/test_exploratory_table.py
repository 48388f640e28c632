"""The table of experiments without a hypothesis."""

from pathlib import Path

from planted_findings import evidence

from dying_relu.analysis.exploratory import Level
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.tables import exploratory


def test_every_comparison_is_a_row_with_all_of_its_levels() -> None:
    lines = exploratory.table(evidence(offset=0.8).study).splitlines()
    [first, *others] = [line for line in lines if "offset share" in line]
    assert first.startswith(
        r"\texttt{mean\_dose} & first layer by offset share, mean over directions: SGD, rate 0.2 & share 0: "
    )
    # The experiment is named once.
    assert all(line.startswith(" & ") for line in others)
    assert all("; share 0.6: " in line for line in [first, *others])


def test_a_level_says_how_many_seeds_it_rests_on_where_some_overflowed() -> None:
    some = exploratory.median(Level("raw", (0.1,) * 18 + (float("nan"),) * 2))
    assert some.endswith(" (18 of 20 seeds)")
    assert exploratory.median(Level("raw", (float("nan"),) * 20)) == "all overflowed"


def test_of_few_seeds_there_is_no_interval() -> None:
    assert exploratory.median(Level("raw", (0.1, 0.3))) == r"\num{20}"


def test_a_study_without_such_experiments_says_so(small_study: Path) -> None:
    assert "No such experiment was run." in exploratory.table(StudyResults(small_study))
