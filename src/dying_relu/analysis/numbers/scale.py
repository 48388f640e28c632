"""The size of a study: data, networks, steps."""

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.inference.intervals import LEVEL
from dying_relu.analysis.numbers.macro import Macro, macro, words
from dying_relu.analysis.outcomes import COLLAPSED, DIVERGED
from dying_relu.analysis.study_results import StudyResults


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros from the table of runs and from the configuration."""
    runs = study.table("runs")
    shards = study.plan.shards
    datasets = [latex.name(dataset) for dataset in runs["dataset"].unique()]
    replicates = runs.groupby("experiment")["replicate"].nunique()
    updates = int((runs["overflow_step"].fillna(runs["steps"])).sum())
    return {
        "StudyName": words(study.configuration.study),
        "ConfidenceLevel": macro(LEVEL, "percent"),
        "DatasetNames": words(latex.listed(datasets)),
        "RunCount": macro(len(runs), "number"),
        "UpdateCount": macro(updates, "number"),
        "ExperimentCount": Macro(len(replicates), latex.word(len(replicates))),
        "ReplicateCounts": _span(replicates),
        "DivergedCount": macro(int((runs["outcome"] == DIVERGED).sum()), "number"),
        "CollapsedCount": macro(int((runs["outcome"] == COLLAPSED).sum()), "number"),
        "TrainExamples": _span(runs["train_examples"]),
        "TestExamples": _span(pd.Series([shard.dataset.test for shard in shards])),
        "StepCounts": _span(runs["steps"]),
        "UsualSteps": macro(int(runs["steps"].mode()[0]), "number"),
        "BatchSizes": _span(runs["batch_size"]),
        "TrainProbes": _span(pd.Series([shard.probe_train for shard in shards])),
        "TestProbes": _span(pd.Series([shard.probe_test for shard in shards])),
        "CheckpointCounts": _span(pd.Series([len(shard.checkpoints) for shard in shards])),
    }


def _span(values: pd.Series) -> Macro:
    return Macro(f"{values.min():g} to {values.max():g}", latex.span(values))
