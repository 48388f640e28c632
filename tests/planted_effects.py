"""The effects that are planted in the made-up study of the findings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effects:
    """What is planted; without arguments what makes every finding hold.

    Attributes:
        without_mean: newly dead share of the first layer without a mean (F1a).
        offset: the same with an offset of share 0.6 (F1a's control, F1b).
        trained: newly dead share with trained biases (F1c).
        frozen: newly dead share with frozen biases minus that with trained ones (F1c).
        hidden: newly dead share of the second layer without centred activations (F1d).
        second: newly dead share of the second layer elsewhere (F1a).
        bias_part_error: error of the predicted part of the bias (F1e).
        octaves: standard deviation of the settings' deviations from the law (F2).
        spread: power of the pre-activations' spread in the law; at 0 the mean alone decides (F2c).
        line: multiple of the law's rate at which layers die in the phase diagram (F7a).
        mass: newly dead share at high rates (F3a, F3c).
        forbidden: share of networks that overflow if death is forbidden (F3a).
        renewed_again: the same with the placebo that renews more (F3a).
        flat: newly dead share of ReLU minus the newly silent one of its leaky twin (F3b).
        rescued: accuracy of networks that died in mass (F3c).
        ten, two: loss of accuracy with so many living units (F4a).
        damage: loss of accuracy to a high rate (F4b, F4c, F4d).
        strictly, nearly: part of the damage that they make (F4b, F4c).
        random: part of the damage that as many random units as dead or nearly dead ones make (F4c).
        renewed: loss of accuracy that is left with dead units renewed (F4d).
        renewal: accuracy with dead units renewed minus that with living ones (F4d).
        soon: part of the deaths within 20 steps, by optimiser (F5).
        wake: number of units that further examples wake over the expected one (F6a, F6b).
        asleep: units silent on all examples (F6c).
    """

    without_mean: float = 0.0
    offset: float = 0.8
    trained: float = 0.6
    frozen: float = 0.02
    hidden: float = 0.4
    second: float = 0.02
    bias_part_error: float = 0.01
    octaves: float = 0.3
    spread: float = 1.0
    line: float = 1.0
    mass: float = 0.7
    forbidden: float = 0.97
    renewed_again: float = 0.0
    flat: float = 0.005
    rescued: float = 0.3
    ten: float = 0.05
    two: float = 0.4
    damage: float = 0.3
    strictly: float = 0.05
    nearly: float = 0.9
    random: float = 0.2
    renewed: float = 0.1
    renewal: float = 0.01
    soon: tuple[float, float, float] = (0.9, 0.8, 0.2)
    wake: float = 1.0
    asleep: int = 10
