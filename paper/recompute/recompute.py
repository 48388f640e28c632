"""Every finding and every claim that is more than an identity, computed a second time: with pandas and SciPy, from a study's tables.

Nothing of the project's code is imported. The rules are those of ``paper/plan.md``, written again from its words.

    python paper/recompute/recompute.py results/published

prints, for each, the verdict and the effect of ``claims.csv`` beside those computed here, and fails if they differ. Of the literal
readings, C9 and C10 are computed again, without an effect.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from claims import CLAIMS, LITERAL
from findings import FINDINGS, Study
from judging import Missing

TABLES = ("runs", "layers", "units", "activity")
TOLERANCE = 1e-6


def compared(folder):
    """A row a finding or claim: the verdict and the effect of the study, those computed here, and whether they agree.

    Of a literal reading a study has no effect.
    """
    tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in TABLES}
    study = Study(tables)
    published = pd.read_csv(folder / "claims.csv", keep_default_na=False).set_index("claim")
    rows = []
    for name, rule in {**CLAIMS, **FINDINGS}.items():
        if name in published.index:
            effect = published.loc[name, "effect"]
            effect = float(effect) if effect not in ("", None) else np.nan
            rows.append(_row(name, published.loc[name, "verdict"], effect, _settled(name, rule, study)))
    for name, rule in LITERAL.items():
        if name in published.index and published.loc[name, "literal"]:
            word, _ = _settled(name, rule, study)
            rows.append(_row(f"{name} literally", published.loc[name, "literal"], np.nan, (word, np.nan)))
    return pd.DataFrame(rows, columns=["id", "verdict", "effect", "again", "effect again", "agree"])


def _settled(name, rule, study):
    try:
        return rule(study)
    except Missing as reason:
        print(f"{name}: {reason}", file=sys.stderr)
        return "not settled", np.nan


def _row(name, verdict, effect, ours):
    close = np.isclose(effect, ours[1], rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    return name, verdict, effect, *ours, verdict == ours[0] and bool(close)


def main():
    """Print the comparison; the exit status is 1 if something differs."""
    table = compared(Path(sys.argv[1]))
    print(table.to_string(index=False))
    print(f"{int(table['agree'].sum())} of {len(table)} agree")
    sys.exit(0 if table["agree"].all() else 1)


if __name__ == "__main__":
    main()
