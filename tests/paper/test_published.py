"""The tracked results are the recorded ones, their verdicts follow from them, and the tracked PDF was made of them."""

import re

import pandas as pd
from generated_paper import ROOT
from published_study import PUBLISHED

from dying_relu.analysis import claims
from dying_relu.plan import study
from dying_relu.results import provenance


def test_the_tables_are_the_recorded_ones() -> None:
    provenance.check(PUBLISHED)
    assert set(provenance.read(PUBLISHED)["sha256"]) == {path.name for path in PUBLISHED.glob("*.parquet")}


def test_the_configuration_is_the_one_that_was_run() -> None:
    assert (
        provenance.read(PUBLISHED)["configuration"] == study.load(ROOT / "config/published.yaml").fingerprint
    )


def test_the_verdicts_follow_from_the_tables() -> None:
    tracked = claims.read(PUBLISHED / "claims.csv")[["claim", "verdict"]]
    pd.testing.assert_frame_equal(claims.settle(PUBLISHED)[["claim", "verdict"]], tracked)


def test_the_pdf_is_as_new_as_the_tables() -> None:
    """The PDF's keywords, which LaTeX writes in UTF-16 with escapes, are the record's fingerprint."""
    pdf = (ROOT / "paper" / "dying-relu.pdf").read_bytes()
    keywords = re.search(rb"/Keywords ?\(\\376\\377((?:\\000[0-9a-f]){16})\)", pdf)
    assert keywords, "not made by `make published-paper`"
    found = keywords[1].replace(rb"\000", b"").decode()
    assert found == provenance.fingerprint(PUBLISHED)[:16]
