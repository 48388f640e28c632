"""CNNs trained in an experiment of their own count as if they were in that of the MLPs."""

import pandas as pd
import pytest
from planted_study import PLANTED, evidence
from strangers import FOLLOWS

from dying_relu.analysis.claims.settle import settled_by


@pytest.mark.parametrize(("experiment", "claims"), [("slopes", ["C11", "C12"]), ("remedies", ["C10", "C12"])])
def test_cnns_may_have_an_experiment_of_their_own(experiment: str, claims: list[str]) -> None:
    def apart(runs: pd.DataFrame) -> pd.DataFrame:
        here = (runs["experiment"] == experiment) & (runs["architecture"] == "cnn")
        return runs.assign(experiment=runs["experiment"].mask(here, f"{experiment}_cnn"))

    together, parted = (
        settled_by(study, claims)[FOLLOWS] for study in (evidence(PLANTED), evidence(PLANTED, runs=apart))
    )
    pd.testing.assert_frame_equal(parted, together)
