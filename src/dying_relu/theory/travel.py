"""The distance a parameter still moves after its gradient has become 0, and the slowness of units with a leaky slope.

In the first two formulas the gradient was constant for long before it vanished. A unit whose gradient vanishes because it died is thus
carried further into death.
"""

import math


def momentum_travel(learning_rate: float, gradient: float, momentum: float) -> float:
    """Distance that SGD with momentum (torch's convention) still covers after a constant gradient has become 0.

    The velocity has become gradient / (1 - momentum) and shrinks by the factor ``momentum`` at every further step.

    Args:
        learning_rate: step size.
        gradient: its value before it vanished; the parameter moves against it.
        momentum: mu in [0, 1); 0 is plain SGD, which stops at once.

    Returns:
        learning_rate * gradient * mu / (1 - mu)^2.

    Raises:
        ValueError: a momentum outside of [0, 1).

    Source: algebra (a geometric series). That momentum carries parameters into dead regions: Arnekvist et al. (2020).

    >>> round(momentum_travel(1.0, 1.0, 0.9), 9), momentum_travel(1.0, 1.0, 0.0)
    (90.0, 0.0)
    """
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum is in [0, 1), not {momentum}")
    return learning_rate * gradient * momentum / (1 - momentum) ** 2


def adam_travel(learning_rate: float, beta1: float = 0.9, beta2: float = 0.999) -> float:
    """Distance that Adam still covers after a constant gradient has become 0, whatever the size of that gradient.

    The first moment shrinks by beta1 a step, the root of the second by sqrt(beta2), and so their ratio, which was the gradient's sign, by
    r = beta1 / sqrt(beta2). Bias correction is over, and epsilon is negligible next to the gradient.

    Args:
        learning_rate: step size.
        beta1: decay of the first moment, in [0, 1).
        beta2: decay of the second, in (beta1^2, 1).

    Returns:
        learning_rate * r / (1 - r).

    Raises:
        ValueError: decays for which the distance is not finite, or that are no decays.

    Source: algebra; update rule of Kingma & Ba (2015).

    >>> round(adam_travel(1.0), 2)
    9.05
    """
    if not (beta1 >= 0 and beta1**2 < beta2 < 1):
        raise ValueError(
            f"the decays must satisfy 0 <= beta1 and beta1^2 < beta2 < 1, not {beta1} and {beta2}"
        )
    ratio = beta1 / math.sqrt(beta2)
    return learning_rate * ratio / (1 - ratio)


def leaky_attenuation(slope: float, one_sided_layers: int) -> float:
    """By what factor a gradient shrinks on its way down through layers whose units are all negative on all examples.

    Args:
        slope: derivative left of zero.
        one_sided_layers: k, the layers passed, that of the unit in question included.

    Returns:
        slope^k: under plain SGD the displacement of the unit's parameters, relative to that with slope 1 and the same gradient above.

    Raises:
        ValueError: a negative number of layers.

    Source: algebra (the chain rule).

    >>> leaky_attenuation(0.5, 2)
    0.25
    """
    if one_sided_layers < 0:
        raise ValueError(f"a number of layers is not negative, not {one_sided_layers}")
    return slope**one_sided_layers
