"""The probability that a network is born dead: constant on its inputs before training, because a hidden layer is all dead.

All biases are 0. Such a network f has f(c x) = c f(x) for c > 0, so that an input stands for the whole ray through it.
"""

import math


def born_dead_probability_one_point(width: int, weight_layers: int) -> float:
    """Probability that some hidden layer is dead on a single input, which is not 0.

    As long as a layer is alive, each unit of the next has a pre-activation that is negative with probability 1/2, independently of
    the others; so a layer dies with probability 2^-width, given that those below it live. On more inputs a network is
    born dead less often: this is an upper bound.

    Args:
        width: units of every hidden layer.
        weight_layers: L; the network has L - 1 hidden layers.

    Returns:
        1 - (1 - 2^-width)^(weight_layers - 1).

    Raises:
        ValueError: no units or no layers.

    Source: algebra, as above. That the probability tends to 1 with the depth: Lu et al. (2020). That death on a shrinking set of inputs
    tends to this value: Rister & Rubin (2020).

    >>> [round(born_dead_probability_one_point(width, 10), 5) for width in (2, 3, 5)]
    [0.92492, 0.69934, 0.24854]
    """
    if width < 1 or weight_layers < 1:
        raise ValueError(f"a network has units and layers, not {width} and {weight_layers}")
    # 1 - (1 - p)^n without the cancellation that loses all digits of wide networks.
    return -math.expm1((weight_layers - 1) * math.log1p(-(2.0**-width)))


def born_dead_probability_both_signs(width: int) -> float:
    """Probability that a network with two hidden layers is 0 on the whole real line (scalar input, three weight layers).

    The inputs 1 and -1 stand for the line. With probability 2^(1 - width) all weights of the first layer have the same sign; then one
    of the two inputs is lost, and the second layer is dead on the other with probability 2^-width. Otherwise the two
    activations of the first layer have no unit in common, so that the pre-activations of a unit above are independent: the second
    layer is dead on both with probability 4^-width. (For weights that are not normal the signs are independent, too.)

    Args:
        width: units of both hidden layers.

    Returns:
        2^(1 - 2 width) + (1 - 2^(1 - width)) 4^-width, for width 2 exactly 5/32.

    Raises:
        ValueError: no units.

    Source: algebra, as above.

    >>> born_dead_probability_both_signs(2) == 5 / 32
    True
    """
    if width < 1:
        raise ValueError(f"a layer has units, not {width}")
    same_sign = 2.0 ** (1 - width)
    return same_sign * 2.0**-width + (1 - same_sign) * 4.0**-width
