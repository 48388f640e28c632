"""The explorer's charts: four views of one specification, which share the reader's choices."""

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt

from dying_relu.analysis import latex
from dying_relu.analysis.explorer.networks import SETTING, Networks
from dying_relu.analysis.outcomes import COLLAPSED, DIVERGED, TRAINED

ALL = "all"
BIAS, OFFSET = "initial bias", "offset share of the inputs"
CHOICES = {
    "dataset": "data set",
    "architecture": "architecture",
    "optimiser": "optimiser",
    "function": "activation",
    "inputs": "inputs",
    "experiment": "experiment",
}
"""Factors that a reader can choose a level of, with their labels."""
PREFERRED = {"function": "ReLU"}
"""Levels that are chosen at first; of other factors, all."""
HEIGHT = 300
Layers = alt.LayerChart | alt.FacetChart
"""Marks above each other, as Altair types them."""
BLANK = "#dddddd"
"""Colour of a cell in which no network trained."""
NUMBERS = {
    **dict.fromkeys(("setting", "network", "replicate", "schedule", "depth", "units"), "number"),
    **dict.fromkeys(("networks", "trained", "initial_bias", "learning_rate", "offset_share"), "number"),
    **dict.fromkeys(("dead_fraction", "test_accuracy"), "number"),
}
RATE = alt.Axis(format=".2~g", labelAngle=-60, labelOverlap=True)
SHARE = alt.Axis(format="%")
WHOLE = alt.Scale(domain=[-0.02, 1.02], nice=False)
"""From none to all, with room for a point that stands at either end."""
RIGHT_OF_LIMIT = (
    "!isValid(datum.dead_fraction) || (datum.dead_fraction >= dead_from && datum.dead_fraction <= dead_to)"
)


def specification(networks: Networks) -> dict[str, Any]:
    """The Vega-Lite specification of all views, with the data inside.

    Args:
        networks: of the study.
    """
    typed: Any = {"network": alt.binding(input="number", name="network no.")}
    picked = alt.selection_point(
        name="picked",
        fields=["network"],
        on="click",
        toggle=False,
        clear=False,
        value=_first(networks),
        bind=typed,
    )
    brush = alt.selection_interval(name="brush")
    views = [
        _phase_diagram(),
        _accuracies(brush, picked),
        _layers(picked),
        _outcomes(brush),
    ]
    charts = alt.concat(*views, spacing=28).add_params(*_choices(networks), *_limits())
    charts = charts.resolve_scale(color="independent", shape="independent", y="independent")
    charts = (
        charts.configure_view(stroke=None)
        .configure_legend(orient="bottom", columns=3)
        .configure_title(anchor="start")
    )
    # Data frames would become rows of JSON; the same as CSV is a fifth of it.
    specification = charts.to_dict() | {"datasets": networks.texts()}
    # One legend below the other, for narrow screens; Vega's own setting, which Altair's schema lacks.
    specification["config"]["legend"]["layout"] = {"bottom": {"direction": "vertical", "anchor": "start"}}
    return specification


def _first(networks: Networks) -> list[dict[str, int]]:
    """The network that is shown before one is clicked: that with the largest dead fraction among those that trained."""
    sample = networks.sample[networks.sample["outcome"] == TRAINED]
    sample = sample if len(sample) else networks.sample
    most = sample.sort_values("dead_fraction", ascending=False, kind="stable")["network"].head(1)
    return [{"network": int(number)} for number in most]


def _data(name: str) -> alt.NamedData:
    columns = {
        "settings": ["setting"],
        "cells": ["setting", "initial_bias", "learning_rate", "offset_share", "networks", "trained"],
        "sample": [
            *("network", "setting", "initial_bias", "learning_rate", "offset_share", "replicate"),
            *("dead_fraction", "test_accuracy"),
        ],
        "layers": ["network", "schedule", "depth", "units"],
        "schedules": ["schedule"],
    }[name]
    words = {"dead": "string", "steps": "string"} if name in ("layers", "schedules") else {}
    parse: Any = {column: NUMBERS[column] for column in columns} | words
    if name == "cells":
        parse["dead"] = "number"
    return alt.NamedData(name, format=alt.CsvDataFormat(type="csv", parse=parse))


def _chosen(name: str) -> alt.Chart:
    """A chart of the rows of a table whose setting the reader chose."""
    chart = alt.Chart(_data(name)).transform_lookup(
        lookup="setting", from_=alt.LookupData(data=_data("settings"), key="setting", fields=SETTING)
    )
    for factor in CHOICES:
        chart = chart.transform_filter(f"chosen_{factor} == '{ALL}' || datum.{factor} == chosen_{factor}")
    return chart


def _choices(networks: Networks) -> Iterable[alt.Parameter]:
    for factor, label in CHOICES.items():
        levels = sorted(networks.settings[factor].unique())
        first = PREFERRED.get(factor, ALL)
        readable = levels if factor in ("function", "experiment") else [latex.name(level) for level in levels]
        select = alt.binding_select(options=[ALL, *levels], labels=[ALL, *readable], name=label)
        yield alt.param(name=f"chosen_{factor}", value=first if first in levels else ALL, bind=select)
    vertical = alt.binding_select(options=[BIAS, OFFSET], name="phase diagram over rate and")
    yield alt.param(name="vertical", value=BIAS, bind=vertical)


def _limits() -> Iterable[alt.Parameter]:
    """Two sliders that keep networks by their dead fraction, for those who use no mouse."""
    for name, label, value in (("dead_from", "dead fraction from", 0), ("dead_to", "dead fraction to", 1)):
        yield alt.param(name=name, value=value, bind=alt.binding_range(min=0, max=1, step=0.01, name=label))


def _phase_diagram() -> Layers:
    cells = (
        _chosen("cells")
        .transform_calculate(height=f"vertical == '{BIAS}' ? datum.initial_bias : datum.offset_share")
        .transform_filter("isValid(datum.height)")
        .transform_aggregate(
            networks="sum(networks)",
            trained="sum(trained)",
            dead="sum(dead)",
            groupby=["learning_rate", "height"],
        )
        .transform_calculate(share="datum.dead / datum.trained")
        .encode(
            x=alt.X("learning_rate:O", title="learning rate", axis=RATE),
            y=alt.Y(
                "height:O", title=None, sort="descending", axis=alt.Axis(format=".2~g", labelOverlap=True)
            ),
            tooltip=_tooltip(
                {
                    "learning_rate": "Q.2~g",
                    "height": "Q.2~g",
                    "share": "Q.1%",
                    "networks": "Q",
                    "trained": "Q",
                },
                height="bias or offset share",
                share="mean dead fraction of those that trained",
            ),
        )
    )
    colour = alt.Color(
        "share:Q",
        title="dead units, mean of those that trained",
        scale=alt.Scale(scheme="cividis", domain=[0, 1]),
        legend=alt.Legend(format="%", gradientLength=180, titleLimit=400),
    )
    squares = cells.transform_filter("datum.trained > 0").mark_rect().encode(color=colour)
    blank = cells.transform_filter("datum.trained == 0").mark_rect(color=BLANK)
    lost = cells.transform_filter("datum.trained < datum.networks").mark_point(
        shape="cross", size=90, filled=True, color="white", stroke="black", strokeWidth=0.8
    )
    title = alt.TitleParams(
        text=alt.ExprRef(
            f"'Dead fraction over rate and ' + (vertical == '{BIAS}' ? vertical : 'offset share')"
        ),
        subtitle="crosses: some did not train; grey: none did",
    )
    return alt.layer(blank, squares, lost).properties(name="phase_diagram", title=title, height=HEIGHT)


def _accuracies(brush: alt.Parameter, picked: alt.Parameter) -> alt.Chart:
    return (
        _chosen("sample")
        .transform_filter("isValid(datum.dead_fraction)")
        .transform_filter(RIGHT_OF_LIMIT)
        .mark_point(filled=True, size=60, opacity=0.8, cursor="pointer")
        .encode(
            x=alt.X("dead_fraction:Q", title="dead fraction", axis=SHARE, scale=WHOLE),
            y=alt.Y("test_accuracy:Q", title="test accuracy", axis=SHARE, scale=WHOLE),
            color=alt.condition(
                brush,
                alt.Color(
                    "learning_rate:Q",
                    title="learning rate",
                    scale=alt.Scale(type="log", scheme="viridis"),
                    legend=alt.Legend(format=".1~g", gradientLength=180, labelOverlap=True),
                ),
                alt.value("lightgray"),
            ),
            shape=alt.Shape(
                "outcome:N",
                scale=alt.Scale(domain=[TRAINED, COLLAPSED, DIVERGED], range=["circle", "square", "cross"]),
            ),
            stroke=alt.condition(picked, alt.value("#d00"), alt.value("transparent"), empty=False),
            strokeWidth=alt.value(2.5),
            tooltip=_tooltip(
                {
                    "network": "Q",
                    "run": "N",
                    **dict.fromkeys(SETTING, "N"),
                    "initial_bias": "Q.2~g",
                    "learning_rate": "Q.2~g",
                    "replicate": "Q",
                    "outcome": "N",
                    "dead_fraction": "Q.1%",
                    "test_accuracy": "Q.1%",
                },
                function="activation",
            ),
        )
        .add_params(brush, picked)
        .properties(
            name="accuracies",
            height=HEIGHT,
            title=alt.TitleParams(
                text="Accuracy against dead fraction",
                subtitle="drag to select; click for a network's layers",
            ),
        )
    )


def _layers(picked: alt.Parameter) -> alt.Chart:
    return (
        alt.Chart(_data("layers"))
        .transform_filter(picked)
        .transform_lookup(
            lookup="schedule",
            from_=alt.LookupData(data=_data("schedules"), key="schedule", fields=["steps"]),
        )
        .transform_calculate(step="split(datum.steps, ' ')", count="split(datum.dead, ' ')")
        .transform_flatten(["step", "count"])
        .transform_calculate(step="toNumber(datum.step)", share="toNumber(datum.count) / datum.units")
        .mark_line(point=True)
        .encode(
            x=alt.X(
                "step:Q",
                title="updates",
                scale=alt.Scale(type="symlog", padding=6, nice=False),
                axis=alt.Axis(format="~s", labelOverlap="greedy", labelSeparation=6),
            ),
            y=alt.Y("share:Q", title="dead on the probe set", axis=SHARE, scale=WHOLE),
            color=alt.Color("layer:N", title="layer", sort=alt.EncodingSortField("depth")),
            tooltip=_tooltip({"layer": "N", "step": "Q", "count": "N", "units": "Q"}, count="dead units"),
        )
        .properties(
            name="layers",
            height=HEIGHT,
            title=alt.TitleParams(
                text=alt.ExprRef("'Layers of network ' + (picked.network ? picked.network[0] : '')"),
                subtitle="outlined in red; or type another number",
            ),
        )
    )


def _outcomes(brush: alt.Parameter) -> Layers:
    counts = (
        _chosen("sample")
        .transform_filter(RIGHT_OF_LIMIT)
        .transform_filter(brush)
        .transform_aggregate(networks="count()", groupby=["outcome"])
        .encode(
            x=alt.X(
                "networks:Q", title="networks selected", axis=alt.Axis(tickMinStep=1, labelOverlap="greedy")
            ),
            y=alt.Y("outcome:N", title=None, scale=alt.Scale(domain=[TRAINED, COLLAPSED, DIVERGED])),
        )
    )
    bars = counts.mark_bar().encode(
        tooltip=_tooltip({"outcome": "N", "networks": "Q"}),
        color=alt.Color(
            "outcome:N",
            legend=None,
            scale=alt.Scale(domain=[TRAINED, COLLAPSED, DIVERGED], range=["#0072b2", "#e69f00", "#7f7f7f"]),
        ),
    )
    numbers = counts.mark_text(align="left", dx=4).encode(text="networks:Q")
    title = alt.TitleParams(text="What became of them", subtitle="networks chosen and selected")
    return alt.layer(bars, numbers).properties(name="outcomes", title=title, height=HEIGHT)


def _tooltip(fields: Mapping[str, str], **titles: str) -> list[alt.Tooltip]:
    """Lines of a tooltip: a field with its type, N or Q, and after it a number's format."""
    formats: dict[str, dict[str, Any]] = {
        field: {"format": form[1:]} if form[1:] else {} for field, form in fields.items()
    }
    return [
        alt.Tooltip(f"{field}:{form[0]}", title=titles.get(field, field.replace("_", " ")), **formats[field])
        for field, form in fields.items()
    ]
