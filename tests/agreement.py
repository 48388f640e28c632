"""When a simulated share agrees with a probability."""

from dying_relu.simulations.probabilities import Count


def agree(count: Count, probability: float, unknown: float = 0.0) -> bool:
    """Whether an estimate is within four standard errors of a probability that is known up to ``unknown``."""
    error = (probability * (1 - probability) / count.trials) ** 0.5
    return abs(count.share - probability) <= 4 * error + unknown
