"""The second computation agrees with the first, on made-up studies, and says so if it does not."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import planted_findings
import planted_study
import pytest
import warm_python
from published_study import PUBLISHED

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.factors import FACTORS

SCRIPT = Path(__file__).parents[2] / "paper" / "recompute" / "recompute.py"
OVERFLOWED = ("_fraction", "_loss", "_accuracy", "_probe", "_test", "effective_rank", "mean_slope")


def messy(runs: pd.DataFrame) -> pd.DataFrame:
    """A tenth of the networks overflowed, a tenth collapsed, and accuracies and deaths vary."""
    random = np.random.default_rng(3)
    fate, other = random.uniform(size=len(runs)), random.normal(size=len(runs))
    here = runs["overflowed"] | (fate < 0.1)
    final = [name for name in runs if name.endswith(OVERFLOWED) and name not in ("initial_loss", "peak_loss")]
    accuracy = (runs["test_accuracy"] + 0.05 * other).clip(0, 1)
    changed = runs.assign(
        test_accuracy=accuracy, outcome=runs["outcome"].mask((fate > 0.9) & ~runs["overflowed"], "collapsed")
    )
    return changed.assign(
        **{name: changed[name].mask(here) for name in final},
        overflowed=here,
        outcome=changed["outcome"].mask(here, "diverged"),
        overflow_step=runs["overflow_step"].fillna(5).where(here),
    )


def varied(runs: pd.DataFrame) -> pd.DataFrame:
    """Further remedies, a larger slope at which not all networks train, and accuracies by setting that change which is best."""
    random = np.random.default_rng(5)
    plain = runs[(runs["experiment"] == "remedies") & (runs["activation"] == "relu")]
    changes: dict[str, dict[str, object]] = {
        "normalisation": {"architecture": plain["architecture"] + "_batch_norm"},
        "training": {"optimiser": plain["optimiser"] + "_clipped"},
        "initialisation": {"initialisation": "lsuv"},
        "inputs": {"inputs": "centred"},
        "bias": {"initial_bias": 0.1},
    }
    more = [
        plain.assign(experiment=f"remedies_{name}", run=f"{name}-" + plain["run"], **changed)
        for name, changed in changes.items()
    ]
    more[-1] = more[-1].drop_duplicates(
        ["dataset", "architecture", "optimiser", "learning_rate", "replicate"]
    )
    slopes = runs[(runs["experiment"] == "slopes") & (runs["slope"] == 0.1)]
    more.append(slopes.assign(slope=0.05, run="0.05-" + slopes["run"]))
    every = pd.concat([runs, *more], ignore_index=True)
    factors = [name for name in FACTORS if name != "replicate"]
    settings = every.groupby(factors, dropna=False).ngroup().to_numpy()
    better = 0.15 * random.normal(size=settings.max() + 1)[settings] + 0.02 * random.normal(size=len(every))
    collapsed = (every["slope"] == 0.05) & (every["replicate"] % 11 == 0) & (every["learning_rate"] > 0.05)
    return every.assign(
        test_accuracy=(every["test_accuracy"] + better).clip(0, 1),
        outcome=every["outcome"].mask(collapsed, "collapsed"),
    )


def restless(units: pd.DataFrame) -> pd.DataFrame:
    """Units that die and wake at random, some of them dead from the start, with more negative weights while they are dead."""
    random = np.random.default_rng(6)
    dead = random.uniform(size=len(units)) < 0.3
    negative = (units["negative_weights"] + 0.2 * dead + 0.1 * random.normal(size=len(units))).clip(0, 1)
    states = dict.fromkeys(("dead", "inactive", "saturated", "dormant_0"), dead)
    return units.assign(
        **states, dead_all=pd.array(dead, dtype="boolean"), negative_weights=negative.astype("float32")
    )


STUDIES: dict[str, Callable[[], Evidence]] = {
    "planted findings": lambda: planted_findings.evidence(planted_findings.PLANTED),
    "opposite findings": lambda: planted_findings.evidence(planted_findings.OPPOSITE),
    "messy findings": lambda: planted_findings.evidence(runs=messy),
    "planted claims": lambda: planted_study.evidence(planted_study.PLANTED),
    "no claims": lambda: planted_study.evidence(planted_study.NOTHING),
    "messy claims": lambda: planted_study.evidence(runs=messy),
    "varied claims": lambda: planted_study.evidence(runs=varied, units=restless),
}


def written(evidence: Evidence, folder: Path) -> pd.DataFrame:
    """Write the tables of a study and its verdicts to a folder."""
    for name in ("runs", "layers", "units", "activity"):
        evidence.study.table(name).to_parquet(folder / f"{name}.parquet")
    verdicts = settled_by(evidence)
    verdicts.to_csv(folder / "claims.csv", index=False)
    return verdicts


def again(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as readers do, without the project's code on the path."""
    program = (
        f"import runpy, sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); "
        f"sys.argv = ['recompute.py', {str(folder)!r}]; runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    return warm_python.run(program, imported=warm_python.SCIPY, options=("-I",))


@pytest.mark.parametrize("name", STUDIES)
def test_both_computations_agree(name: str, tmp_path: Path) -> None:
    written(STUDIES[name](), tmp_path)
    done = again(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_both_computations_agree_on_the_published_study() -> None:
    done = again(PUBLISHED)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_verdict_that_was_changed_is_seen(tmp_path: Path) -> None:
    verdicts = written(STUDIES["planted findings"](), tmp_path)
    changed = verdicts["verdict"].mask(verdicts["claim"] == "F3a", "does not hold")
    verdicts.assign(verdict=changed).to_csv(tmp_path / "claims.csv", index=False)
    done = again(tmp_path)
    assert done.returncode == 1
    assert len([line for line in done.stdout.splitlines() if line.endswith("False")]) == 1


def test_it_imports_nothing_of_the_project() -> None:
    for path in SCRIPT.parent.glob("*.py"):
        assert "dying_relu" not in path.read_text(encoding="utf-8")
