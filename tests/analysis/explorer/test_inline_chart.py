"""A chart that draws itself has all it needs inside; tests/notebooks/ opens one in a browser without a connection."""

import base64
import gzip
import re

import altair as alt
import pandas as pd
import pytest

from dying_relu.analysis.explorer.inline_chart import inline_chart


@pytest.fixture
def page() -> str:
    chart = (
        alt.Chart(pd.DataFrame({"a": [1, 2], "b": ["</script>", "x"]}))
        .mark_point()
        .encode(x="a", tooltip="b")
    )
    return inline_chart(chart, "A <b> & c")


def test_the_scripts_are_inside(page: str) -> None:
    packed = re.search(r'atob\("([^"]+)"\)', page)
    assert packed is not None
    assert "vegaEmbed" in gzip.decompress(base64.b64decode(packed[1])).decode()
    assert not re.search(r'(src|href)="', page)
    assert len(page) < 600_000


def test_data_and_label_cannot_break_out(page: str) -> None:
    assert page.count("</script>") == 1
    assert 'aria-label="A &lt;b&gt; &amp; c"' in page


def test_the_same_chart_has_the_same_bytes() -> None:
    chart = alt.Chart(pd.DataFrame({"a": [1]})).mark_point().encode(x="a")
    assert inline_chart(chart, "x") == inline_chart(chart, "x")
