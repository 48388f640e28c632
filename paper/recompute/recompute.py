"""Every finding and the main effects of the claims, computed a second time: with pandas and SciPy alone, from the tables of a study.

Nothing of the project's code is imported. The rules are those of ``paper/plan.md``, written again from its words.

    python paper/recompute/recompute.py results/published

prints, for each, the verdict and the effect of ``claims.csv`` beside those computed here, and fails if they differ.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from claims import CLAIMS
from findings import FINDINGS, Study
from judging import Missing

TABLES = ("runs", "layers", "units", "activity")
TOLERANCE = 1e-6


def compared(folder):
    """A row a finding or claim: the verdict and the effect of the study, those computed here, and whether they agree."""
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    study = Study(tables)
    published = pd.read_csv(folder / "claims.csv", keep_default_na=False).set_index("claim")
    rows = []
    for name, rule in {**CLAIMS, **FINDINGS}.items():
        if name not in published.index:
            continue
        effect = published.loc[name, "effect"]
        theirs = (published.loc[name, "verdict"], float(effect) if effect not in ("", None) else np.nan)
        try:
            ours = rule(study)
        except Missing as reason:
            ours = ("not settled", np.nan)
            print(f"{name}: {reason}", file=sys.stderr)
        close = np.isclose(theirs[1], ours[1], rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        rows.append((name, *theirs, *ours, theirs[0] == ours[0] and bool(close)))
    return pd.DataFrame(rows, columns=["id", "verdict", "effect", "again", "effect again", "agree"])


def main():
    """Print the comparison; the exit status is 1 if something differs."""
    table = compared(Path(sys.argv[1]))
    print(table.to_string(index=False))
    print(f"{int(table['agree'].sum())} of {len(table)} agree")
    sys.exit(0 if table["agree"].all() else 1)


if __name__ == "__main__":
    main()
