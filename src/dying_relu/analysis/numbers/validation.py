"""The comparison with theory and published numbers, for the text."""

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.numbers.macro import Macro, macro
from dying_relu.analysis.study_results import StudyResults
from dying_relu.simulations.protocol import COLLAPSE, STEPS, TOLERANCE, WEIGHT_LAYERS, WIDTH


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros from the tables ``validation`` and ``born_dead``."""
    checks = study.table("validation")
    counts = study.table("born_dead")
    collapsed = checks[checks["check"] == COLLAPSE]
    return {
        "ValidationSummary": _agreement(checks["agrees"]),
        "ValidationTolerance": _word(TOLERANCE),
        "BornDeadLayers": _word(WEIGHT_LAYERS),
        "BornDeadWidth": _word(WIDTH),
        "BornDeadNetworks": macro(int(counts["networks"].min()), "number"),
        "BornDeadHe": macro(_share(counts, "he", "line"), "percent"),
        "BornDeadRai": macro(_share(counts, "rai", "interval"), "percent"),
        "CollapseNetworks": macro(int(collapsed["trials"].sum()), "number"),
        "CollapseSteps": macro(STEPS, "number"),
        "CollapseShare": macro(float(collapsed["ours"].mean()), "percent"),
    }


def _word(count: int) -> Macro:
    return Macro(count, latex.word(count))


def _agreement(agrees: pd.Series) -> Macro:
    r"""How many values agree, as the subject and verb of a sentence.

    >>> _agreement(pd.Series([True, True])).latex, _agreement(pd.Series([True, False])).latex
    ('all two agree', 'one of two agrees and one does not')
    """
    total, good = len(agrees), int(agrees.sum())
    count, bad = latex.word(total), total - good
    if not bad:
        return Macro(good, f"all {count} agree")
    agree, do = "agrees" if good == 1 else "agree", "does" if bad == 1 else "do"
    return Macro(good, f"{latex.word(good)} of {count} {agree} and {latex.word(bad)} {do} not")


def _share(counts: pd.DataFrame, initialisation: str, inputs: str) -> float:
    """The share born dead of the networks of the usual width and depth."""
    usual = (counts["width"] == WIDTH) & (counts["weight_layers"] == WEIGHT_LAYERS)
    rows = counts[usual & (counts["initialisation"] == initialisation) & (counts["inputs"] == inputs)]
    return float(rows["born_dead"].sum() / rows["networks"].sum())
