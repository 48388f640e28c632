"""The plan's thresholds that the text quotes."""

from dying_relu.analysis.inference.seeds import ONE_SIDE, REPORTING
from dying_relu.analysis.numbers.macro import Macro, macro
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.thresholds import PAPER
from dying_relu.units.definitions import NEARLY_DEAD_SHARE

PERCENT = {
    "LineSeparates": PAPER.line_separates,
    "MassDeath": PAPER.mass_death,
    "NearlyDead": NEARLY_DEAD_SHARE,
    "ForeverShare": PAPER.forever,
    "LargePart": PAPER.large_part,
    "FewSeeds": PAPER.few_seeds,
}
POINTS = {
    "MattersPoints": PAPER.matters,
    "AccuracyMatters": PAPER.accuracy_matters,
    "LivingLoss": PAPER.living_loss,
    "RenewalDiffers": PAPER.renewal_differs,
}
NUMBERS = {"LawConstant": PAPER.sgd_constant, "LawOctaves": PAPER.octaves, "OneSide": ONE_SIDE}


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros of the plan, the same for every study."""
    del study
    return {
        **{name: macro(value, "percent") for name, value in PERCENT.items()},
        **{name: macro(value, "points") for name, value in POINTS.items()},
        **{name: macro(value, "number") for name, value in NUMBERS.items()},
        "ReportingSeeds": macro(REPORTING, "number"),
    }
