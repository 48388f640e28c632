"""What the workflow would put into ``paper/generated/<study>/``, made from the synthetic tables."""

from pathlib import Path

from small_study import write_small_study

from dying_relu.analysis import claims, numbers, tables

ROOT = Path(__file__).parents[1]
CONFIGURATION = ROOT / "config" / "smoke.yaml"


def generate(folder: Path, replicates: int = 3) -> Path:
    """Write tables and numbers of a small study into ``folder/generated``; the results lie beside it."""
    results = folder / "results"
    write_small_study(results, replicates)
    claims.settle(results).to_csv(results / "claims.csv", index=False)
    generated = folder / "generated"
    tables.write(results, CONFIGURATION, generated / "tables")
    numbers.write(results, CONFIGURATION, results / "numbers.json", generated / "numbers.tex")
    return generated
