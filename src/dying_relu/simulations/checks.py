"""Values from theory and from publications, each with its source and an estimate by our own networks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from torch import Tensor

from dying_relu.simulations import inputs, probabilities
from dying_relu.simulations.collapse import Collapse, collapse
from dying_relu.simulations.probabilities import Count, counted
from dying_relu.simulations.protocol import COLLAPSE, INDEPENDENT, STEPS, WEIGHT_LAYERS, WIDTH
from dying_relu.theory import born_dead as born_dead_theory
from dying_relu.theory import unit_death

EXACT, REPORTED = "exact", "reported"
NETWORKS = 100_000
FEWER = 20_000
"""Where each is shown many inputs."""
TRAINED = 1_000


@dataclass(frozen=True)
class Check:
    """A value that this package must reproduce.

    Attributes:
        name: unique.
        source: key of ``paper/references.bib``, the label of an equation of the paper (``eq:...``), or ``INDEPENDENT``.
        quantity: what is dead with that probability; the letters are those of the paper's definitions.
        published: the value as its source gives it; empty for a formula, whose value is printed.
        low: the smallest probability that the published value admits.
        high: the largest; the same as ``low`` for an exact value.
        estimate: counts the outcome in trials of our own.
    """

    name: str
    source: str
    quantity: str
    published: str
    low: float
    high: float
    estimate: Callable[[], Count]

    @property
    def kind(self) -> str:
        """``EXACT`` for a value, ``REPORTED`` for a range of values."""
        return EXACT if self.low == self.high else REPORTED


def checks() -> list[Check]:
    """All of them, in the order of the paper's table."""
    return [*_one_point(), *_line(), *_everywhere(), *_units(), *_reported(), *_independent()]


def _one_point() -> list[Check]:
    return [
        _exact(
            f"one-point-{width}",
            "eq:onepoint",
            f"network on one input: N = {width}, L = {WEIGHT_LAYERS}",
            born_dead_theory.born_dead_probability_one_point(width, WEIGHT_LAYERS),
            partial(_born_dead, width, WEIGHT_LAYERS, inputs.one_point),
        )
        for width in (2, 3, 5)
    ]


def _line() -> list[Check]:
    return [
        _exact(
            f"line-{width}",
            "eq:line",
            f"network on the line: N = {width}, L = 3",
            born_dead_theory.born_dead_probability_both_signs(width),
            partial(_born_dead, width, 3, inputs.line),
            published,
        )
        for width, published in ((2, "5/32"), (3, "11/256"))
    ]


def _everywhere() -> list[Check]:
    return [
        _exact(
            f"everywhere-{dimension}-{width}",
            "brownlowe2024",
            f"unit of layer 2, anywhere: {width} below, {_inputs(dimension)}",
            unit_death.dead_everywhere_probability(dimension, width),
            partial(probabilities.dead_everywhere, dimension, width, NETWORKS),
            published,
        )
        for dimension, width, published in ((1, 1, "1/4"), (1, 2, "3/16"), (2, 2, "1/8"), (2, 3, "5/64"))
    ]


def _inputs(dimension: int) -> str:
    return "1 input" if dimension == 1 else f"{dimension} inputs"


def _units() -> list[Check]:
    examples, dimension, samples = 2_000, 784, 160
    first_layer = [
        _exact(
            f"first-layer{bias}",
            "eq:firstlayer",
            f"unit of layer 1: M = {examples}, b = {bias}",
            unit_death.first_layer_death_probability(bias, examples, dimension),
            partial(probabilities.dead_in_first_layer, bias, examples, dimension, samples),
        )
        for bias in (-4.665, -5.089)
    ]
    share, batch = 0.01, 64
    on_batch = _exact(
        "batch",
        "eq:batch",
        f"unit on a minibatch: p = {share}, B = {batch}",
        unit_death.looks_dead_on_batch(share, batch),
        partial(probabilities.dead_on_batch, share, batch, NETWORKS),
    )
    return [*first_layer, on_batch]


def _reported() -> list[Check]:
    """Lu et al. (2020), as others report them: an "about" is read as 5 points to either side."""
    born = ((3, "about 60 %", 0.55, 0.65), (5, "more than 10 %", 0.1, 1.0), (10, "less than 1 %", 0.0, 0.01))
    return [
        Check(
            COLLAPSE,
            "lu2020",
            f"network fitted to |x|: N = {WIDTH}, L = {WEIGHT_LAYERS}",
            "more than 90 %",
            0.9,
            1.0,
            _collapsed,
        ),
        *(
            Check(
                f"reported-{width}",
                "lu2020",
                f"network on the line: N = {width}, L = {WEIGHT_LAYERS}",
                published,
                low,
                high,
                partial(_born_dead, width, WEIGHT_LAYERS, inputs.line),
            )
            for width, published, low, high in born
        ),
    ]


def _independent() -> list[Check]:
    """The first three have the error of their last digit; of the others, shares of 1,000 networks, four standard errors are 5 points."""
    line = ((2, 0.881), (3, 0.580), (5, 0.127))
    return [
        *(
            Check(
                f"independent-{width}",
                INDEPENDENT,
                f"network on the line: N = {width}, L = {WEIGHT_LAYERS}",
                f"{value:.3f}",
                value - 0.0005,
                value + 0.0005,
                partial(_born_dead, width, WEIGHT_LAYERS, inputs.line),
            )
            for width, value in line
        ),
        Check(
            "collapse-born",
            INDEPENDENT,
            f"network before it is fitted: N = {WIDTH}, L = {WEIGHT_LAYERS}",
            "about 88 %",
            0.83,
            0.93,
            _collapsed_at_birth,
        ),
        Check(
            "rai",
            INDEPENDENT,
            f"network with RAI, interval: N = {WIDTH}, L = {WEIGHT_LAYERS}",
            "about 22 %",
            0.17,
            0.27,
            partial(_born_dead, WIDTH, WEIGHT_LAYERS, inputs.interval, "rai", FEWER),
        ),
    ]


def _exact(
    name: str, source: str, quantity: str, value: float, estimate: Callable[[], Count], published: str = ""
) -> Check:
    return Check(name, source, quantity, published, value, value, estimate)


# Some of the values are about the same networks.
@cache
def _born_dead(
    width: int, weight_layers: int, x: Callable[[], Tensor], scheme: str = "he", networks: int = NETWORKS
) -> Count:
    return probabilities.born_dead(width, weight_layers, x(), networks, scheme)[-1]


@cache
def _collapse() -> Collapse:
    return collapse(TRAINED, WIDTH, WEIGHT_LAYERS, STEPS)


def _collapsed() -> Count:
    return counted(_collapse().ended)


def _collapsed_at_birth() -> Count:
    return counted(_collapse().born)
