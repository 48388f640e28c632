"""What the workflow would put into ``paper/generated/<study>/``, made from the synthetic tables."""

import shutil
from pathlib import Path

from small_study import CONFIGURATION

from benchmarks import paper
from dying_relu.analysis import claims, numbers, tables
from dying_relu.results import provenance

ROOT = Path(__file__).parents[1]


def generate(study: Path, folder: Path) -> Path:
    """Write the paper's tables and numbers of ``study`` into ``folder/generated``; its results lie beside it."""
    results = folder / "results"
    shutil.copytree(study, results)
    claims.write(claims.settle(results), results / "claims.csv")
    provenance.record(results, CONFIGURATION, results / provenance.NAME)
    generated = folder / "generated"
    tables.write(results, CONFIGURATION, generated / "tables")
    numbers.write(results, CONFIGURATION, results / "numbers.json", generated / "numbers.tex")
    performance = ROOT / "results" / "published" / "performance"
    (generated / "performance.tex").write_text(paper.performance(performance), encoding="utf-8")
    return generated
