"""What became of runs: every run has one outcome, and those that overflowed count as spiked."""

import numpy as np
import pandas as pd

from dying_relu.analysis.outcomes import OUTCOMES, SPIKE, counted, finite, spiked, trained, untrained

RUNS = pd.DataFrame(
    {
        "outcome": ["trained", "collapsed", "diverged", "diverged", "trained"],
        "overflowed": [False, False, False, True, False],
        "initial_loss": [2.0, 2.0, 2.0, 2.0, 3.0],
        "peak_loss": [2.0 * SPIKE, 2.0, 2.1 * SPIKE, np.inf, 2.9 * SPIKE],
    }
)


def test_runs_that_did_not_train_are_all_others() -> None:
    assert trained(RUNS).tolist() == [True, False, False, False, True]
    assert (untrained(RUNS) == ~trained(RUNS)).all()


def test_a_run_that_diverged_may_be_finite() -> None:
    assert finite(RUNS).tolist() == [True, True, True, False, True]


def test_a_spike_is_more_than_five_times_the_first_loss_of_the_run_itself() -> None:
    assert spiked(RUNS).tolist() == [False, False, True, True, False]


def test_a_run_that_overflowed_has_spiked_whatever_was_recorded_of_its_loss() -> None:
    unrecorded = RUNS.assign(peak_loss=np.nan)
    assert spiked(unrecorded).tolist() == [False, False, False, True, False]


def test_runs_are_counted_by_outcome() -> None:
    assert counted(RUNS) == "2 of 5 runs trained, 1 collapsed, 2 diverged"
    assert counted(RUNS.iloc[:0]) == "0 of 0 runs trained, 0 collapsed, 0 diverged"
    assert len(set(OUTCOMES)) == 3
