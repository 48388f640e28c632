"""F2: the rate at which a quarter of the first layer dies is predicted over many octaves under SGD, with one constant.

Observed against predicted onsets of all settings, SGD and Adam side by side, with the onsets, scales and constants of F2a and F2b.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData
from dying_relu.analysis.claims.verdict import Finding
from dying_relu.analysis.figures import evidence, style
from dying_relu.analysis.figures.medians import errors, interval
from dying_relu.analysis.findings import f2_law
from dying_relu.analysis.findings.law import SETTING, onsets, scales, shares
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.inference.selection import reported

CAPTION = (
    "Onsets: learning rates at which a quarter of the first layer is newly dead, observed against predicted. Grey: settings of the fit; "
    "coloured: held-out settings, with exact 95% intervals of the median seed; triangles: no onset up to this rate, the last with finite "
    "networks. "
    "Line: identity; dashed: 0.7 octaves to each side, the largest standard deviation that counts as a law."
)
TABLES = ("runs", "layers")
COLUMNS = {"layers": evidence.LAYERS}
EXPERIMENT = "law"
"""Experiments whose names begin so."""
LAWS: dict[str, Callable[[Evidence], Finding]] = {
    "sgd": f2_law.law_under_sgd,
    "adam": f2_law.law_under_adam,
}
FORMULAS = {
    "sgd": r"predicted onset: ${constant:.3g}\,\mathrm{{sd}}(z)\,/\,\|\mathrm{{mean}}(x)\|_2^2$",
    "adam": r"predicted onset: ${constant:.2g}\,\mathrm{{sd}}(z)\,/\,\|\mathrm{{mean}}(x)\|_1$",
}
HELD_OUT = {
    "inverted_double": "inverted, doubled",
    "constant_30": "CIFAR-10, offset 0.3",
    "random_45_quarter": "offset 0.45, a quarter",
    "components_80": "80 components",
}
"""The inputs of the held-out settings, in words."""
LOOKS = tuple(zip((2, 3, 4, 6, 0), "osDPX", strict=True))
"""Colour and marker of each of them."""
MARGIN = 1.7
"""Factor between the outermost onset and the end of a scale."""
LETTER = 0.0165
"""Width of a letter as a part of a panel."""


@style.paper
def figure(runs: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """A panel for each optimiser, a mark for each setting.

    Args:
        runs: the study's table of runs; the experiments ``law...`` are drawn.
        layers: its table of layers.
    """
    of_study = evidence.of(runs=runs, layers=layers)
    if not runs["experiment"].str.startswith(EXPERIMENT).any():
        return style.note(style.unmeasured(f"it has no experiments '{EXPERIMENT}...'"))
    laws = {optimiser: _points_or_reason(of_study, optimiser) for optimiser in LAWS}
    reasons = [one for one in laws.values() if isinstance(one, NotEnoughData)]
    if len(reasons) == len(laws):
        return style.note(style.unmeasured(reasons[0]))
    drawn, axes = style.panels(1, len(LAWS), 3.4)
    for panel, (optimiser, one) in zip(axes[0], laws.items(), strict=True):
        if isinstance(one, NotEnoughData):
            panel.set_title(style.name(optimiser))
            style.without(panel, style.unmeasured(one))
        else:
            _panel(panel, optimiser, *one, of_study.thresholds.octaves)
    axes[0, 0].set_ylabel("observed onset (learning rate)")
    return drawn


def _points_or_reason(of_study: Evidence, optimiser: str) -> tuple[pd.DataFrame, Finding] | NotEnoughData:
    try:
        return points(of_study, optimiser)
    except NotEnoughData as reason:
        return reason


def points(of_study: Evidence, optimiser: str) -> tuple[pd.DataFrame, Finding]:
    """The onsets of all settings under an optimiser, and the finding that rests on them.

    Args:
        of_study: the study's evidence.
        optimiser: "sgd" or "adam".

    Returns:
        A row a setting: the columns of ``SETTING``, ``held_out``, ``predicted``, ``estimate`` (the observed onset, or the end of the grid
        where one was predicted inside and none observed), ``low`` and ``high`` (the median seed's interval, of held-out settings) and
        ``inside``, whether it was observed; and the finding.

    Raises:
        NotEnoughData: the study has no such settings.
    """
    finding = LAWS[optimiser](of_study)
    constant = finding.details["Constant"]
    assert isinstance(constant, float)
    parts = [
        _onsets(of_study, names, optimiser, constant, held_out)
        for names, held_out in ((f2_law.FIT, False), (f2_law.HELD_OUT, True))
    ]
    return pd.concat(parts, ignore_index=True), finding


def _onsets(
    of_study: Evidence, names: tuple[str, ...], optimiser: str, constant: float, held_out: bool
) -> pd.DataFrame:
    runs = reported(of_study.relu(*names))
    runs = runs[(runs["optimiser"] == optimiser) & (runs["intervention"] == "none")]
    predicted = constant * scales(of_study, runs)[optimiser]
    seeds, mass = shares(of_study, runs), of_study.thresholds.mass_death
    observed = onsets(seeds, mass)
    table = pd.DataFrame({"predicted": predicted.reindex(observed.index), "inside": observed.notna()})
    table["estimate"] = onsets(seeds, mass, predicted)
    table[["low", "high"]] = np.nan
    if held_out:
        each = pd.DataFrame({seed: _onsets_of_a_seed(seeds.loc[[seed]], mass) for seed in seeds.index})
        ends = [interval(numbers) for numbers in each.reindex(table.index).to_numpy()]
        table["low"], table["high"] = ([getattr(one, end) for one in ends] for end in ("low", "high"))
    return table.assign(held_out=held_out).reset_index()


def _onsets_of_a_seed(seed: pd.DataFrame, mass: float) -> pd.Series:
    """The onsets of one seed; infinite where it has none, which says that it lies above the grid, or 0 where it lies below."""
    lowest = (
        seed.iloc[0]
        .groupby(level=SETTING, sort=False)
        .apply(lambda one: one.droplevel(SETTING).dropna().sort_index().head(1).max())
    )
    beyond = (lowest >= mass).map({True: 0.0, False: np.inf}).where(lowest.notna())
    return onsets(seed, mass).fillna(beyond)


def _panel(axes: Axes, optimiser: str, table: pd.DataFrame, finding: Finding, octaves: float) -> None:
    axes.set_title(f"{style.name(optimiser)}\n{_summary(finding, table)}")
    shown = table[table["estimate"].notna() & np.isfinite(table["predicted"])]
    if shown.empty:
        style.without(axes, "in no setting a quarter of the first layer dies inside the grid")
        return
    ends = shown[["predicted", "estimate"]].to_numpy()
    low, high = ends.min() / MARGIN, ends.max() * MARGIN
    axes.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal")
    axes.plot([low, high], [low, high], color="0.2", linewidth=0.8, zorder=0.5)
    for factor in (2**octaves, 2**-octaves):
        axes.plot([low, high], [low * factor, high * factor], **style.THRESHOLD)
    _marks(axes, shown[~shown["held_out"]], color="0.62", markerfacecolor="white", markersize=4, zorder=1)
    inputs = style.in_order(table.loc[table["held_out"], "inputs"], list(HELD_OUT))
    for place, kind in enumerate(inputs):
        colour, marker = LOOKS[place % len(LOOKS)]
        look: dict[str, Any] = {"color": style.COLOURS[colour], "marker": marker}
        here = shown[shown["held_out"] & (shown["inputs"] == kind)]
        _marks(axes, here, markersize=4, zorder=2, **look)
        if not here.empty:
            _name(axes, here, HELD_OUT.get(kind, style.name(kind)), look["color"])
    axes.set_xlabel(FORMULAS[optimiser].format(constant=finding.details["Constant"]))


def _marks(axes: Axes, table: pd.DataFrame, **look: Any) -> None:
    """A mark for each setting; a triangle where the onset lies beyond the end of the grid."""
    for inside, marker in ((True, look.get("marker", "o")), (False, None)):
        here = table[table["inside"] == inside]
        if here.empty:
            continue
        beyond = "^" if marker is None else marker
        hollow: dict[str, Any] = {} if inside else {"markerfacecolor": "white"}
        options: dict[str, Any] = {"linestyle": "", "elinewidth": 0.7} | look | {"marker": beyond} | hollow
        axes.errorbar(here["predicted"], here["estimate"], errors(here), **options)


def _name(axes: Axes, here: pd.DataFrame, words: str, colour: str) -> None:
    """Name the inputs on the side of their marks that is further from the line, or at the panel's right border if there is no more room."""
    x, low, high = float(here["predicted"].max()), *axes.get_xlim()
    above = float((here["estimate"] / here["predicted"]).median()) > 1
    fits = np.log(x / low) / np.log(high / low) + LETTER * len(words) < 1
    if above:
        at, shift, sides = (x, float(here["estimate"].max())), (0, 6), ("center", "bottom")
    elif fits:
        at, shift, sides = (x, float(here["estimate"].min())), (3, -6), ("left", "top")
    else:
        at, shift, sides = (high, float(here["estimate"].min())), (0, -20), ("right", "top")
    options: dict[str, Any] = {"ha": sides[0], "va": sides[1], "fontsize": 7, "color": colour}
    axes.annotate(words, at, shift, textcoords="offset points", **options)


def _summary(finding: Finding, table: pd.DataFrame) -> str:
    """The settings and the error over the held-out ones, in octaves, beside that of one rate for all."""
    held_out = table[table["held_out"]]
    rate = _octaves(finding.details["RateAlone"]).partition(" ")[0]
    lines = [
        f"error {_octaves(finding.details['Error'])} octaves (one rate for all: {rate})",
        f"{len(held_out)} settings held out, {len(table) - len(held_out)} fitted; {int((~table['inside']).sum())} without onset",
    ]
    return "\n".join(lines)


def _octaves(value: object) -> str:
    if not isinstance(value, Interval) or np.isnan(value.estimate):
        return "unknown"
    ends = f" [{value.low:.2f}, {value.high:.2f}]" if np.isfinite([value.low, value.high]).all() else ""
    return f"{value.estimate:.2f}{ends}"
