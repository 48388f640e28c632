"""The probability that a single ReLU unit is dead: on random inputs, on a minibatch, on every possible input."""

import math

from scipy import integrate, stats


def first_layer_death_probability(bias: float, examples: int, inputs: int) -> float:
    """Probability that a first-layer unit with He's weights is dead on a sample of independent N(0, I) examples.

    Given its weights w, the unit's pre-activations are independent N(bias, |w|^2), so that it is dead with probability
    Phi(-bias / |w|)^examples; |w| is sqrt(2 / inputs) times a chi-distributed number with ``inputs`` degrees of freedom.

    Args:
        bias: of the unit, on the scale of its pre-activations.
        examples: M, size of the sample.
        inputs: dimension of an example, and the unit's fan-in.

    Returns:
        E_w[Phi(-bias / |w|)^M], by numerical integration over the quantiles of |w|.

    Raises:
        ValueError: no examples or no inputs.

    Source: algebra, as above; initialisation of He et al. (2015).

    >>> [round(first_layer_death_probability(bias, 2000, 784), 3) for bias in (-4.665, -5.089)]
    [0.383, 0.721]
    """
    if examples < 1 or inputs < 1:
        raise ValueError(f"a sample has examples and inputs, not {examples} and {inputs}")
    norm = stats.chi(inputs, scale=math.sqrt(2 / inputs))

    def dead_at_quantile(level: float) -> float:
        return math.exp(examples * stats.norm.logcdf(-bias / norm.ppf(level)))

    return float(integrate.quad(dead_at_quantile, 0, 1, epsabs=1e-9)[0])


def median_death_bias(weight_norm: float, examples: int) -> float:
    """The bias at which a first-layer unit is dead on independent N(0, I) examples with probability 1/2.

    Half of a layer of such units is dead there. "Large" has a meaning only next to the weights, the standard deviation of the inputs and
    their number.

    Args:
        weight_norm: |w|, for inputs of standard deviation 1; He's weights have about sqrt(2).
        examples: M, size of the sample.

    Returns:
        -weight_norm * Phi^-1(0.5^(1 / M)).

    Raises:
        ValueError: a negative norm, or no examples.

    Source: algebra: the b at which Phi(-b / |w|)^M is 1/2.

    >>> round(median_death_bias(2**0.5, 2000), 3)
    -4.797
    """
    if weight_norm < 0 or examples < 1:
        raise ValueError(f"a norm is not negative and a sample not empty; not {weight_norm} and {examples}")
    # The upper tail, 1 - 0.5^(1 / M), keeps its digits where 0.5^(1 / M) is nearly 1.
    return -weight_norm * float(stats.norm.isf(-math.expm1(math.log(0.5) / examples)))


def looks_dead_on_batch(active_share: float, batch_size: int) -> float:
    """Probability that a unit is inactive on a whole minibatch, although it is active on a share of all examples.

    Args:
        active_share: p, the share of examples with a positive pre-activation.
        batch_size: B, examples drawn independently.

    Returns:
        (1 - p)^B.

    Raises:
        ValueError: a share outside of [0, 1], or a negative size.

    Source: algebra.

    >>> round(looks_dead_on_batch(0.01, 64), 3)
    0.526
    """
    if not 0 <= active_share <= 1 or batch_size < 0:
        raise ValueError(f"a share is in [0, 1] and a size not negative; not {active_share} and {batch_size}")
    return (1 - active_share) ** batch_size


def dead_everywhere_probability(inputs: int, first_width: int) -> float:
    """Probability that a unit of the second hidden layer is 0 on all of R^inputs.

    Weights and biases of both layers are independent and of the same symmetric distribution. A finite sample of inputs shows slightly more
    death than this.

    Args:
        inputs: n0, dimension of the input.
        first_width: n1, units of the first hidden layer, at most n0 + 1.

    Returns:
        2^-(n1 + 1) for n1 <= n0; (2^n0 + 1) / 4^(n0 + 1) for n1 = n0 + 1.

    Raises:
        ValueError: n1 > n0 + 1, for which no exact value is known to us, or no inputs or units.

    Source: Brownlowe et al. (2024).

    >>> [dead_everywhere_probability(*sizes) for sizes in ((1, 1), (1, 2), (2, 2), (2, 3))]
    [0.25, 0.1875, 0.125, 0.078125]
    """
    if inputs < 1 or not 1 <= first_width <= inputs + 1:
        raise ValueError(
            f"the value is known for 1 to {inputs + 1} units on {inputs} inputs, not {first_width}"
        )
    if first_width <= inputs:
        return 2.0 ** -(first_width + 1)
    return (2**inputs + 1) / 4 ** (inputs + 1)
