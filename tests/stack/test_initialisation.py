"""Initial weights: the moments and the asymmetry that each scheme promises, and streams of random numbers."""

import pytest
import torch
from scipy import stats

from dying_relu.stack.initialisation import RAI_SPREAD, SCHEMES, rai, random_stream

UNITS, FAN_IN = 20_000, 6
SHAPE = (UNITS, 2, 3)


@pytest.mark.parametrize(
    ("scheme", "weight_sd", "bias_sd"),
    [
        ("he", (2 / FAN_IN) ** 0.5, 0.0),
        ("lecun", (1 / FAN_IN) ** 0.5, 0.0),
        ("default", (3 * FAN_IN) ** -0.5, (3 * FAN_IN) ** -0.5),
    ],
)
def test_symmetric_schemes_have_mean_zero_and_their_spread(
    scheme: str, weight_sd: float, bias_sd: float
) -> None:
    weight, bias = SCHEMES[scheme](SHAPE, random_stream(0, "weights"))
    assert (weight.shape, bias.shape) == (SHAPE, (UNITS,))
    assert weight.std().item() == pytest.approx(weight_sd, rel=0.02)
    assert bias.std().item() == pytest.approx(bias_sd, rel=0.02)
    for drawn, sd in ((weight, weight_sd), (bias, bias_sd)):
        assert abs(drawn.mean().item()) <= 4 * sd / drawn.numel() ** 0.5


def test_rai_makes_one_parameter_of_each_unit_positive_and_draws_the_others_normally() -> None:
    """The mixture's distribution function, against which no other spread or share passes."""
    weight, bias = rai(SHAPE, random_stream(0, "weights"))
    assert (weight.shape, bias.shape) == (SHAPE, (UNITS,))
    drawn = torch.cat([weight.flatten(1), bias[:, None]], dim=1).double()
    normal, beta, share = stats.norm(scale=RAI_SPREAD / FAN_IN**0.5), stats.beta(2, 1), 1 / (FAN_IN + 1)
    for column in drawn.T:
        # Columns are tested one by one, because the parameters of a unit are not independent.
        test = stats.kstest(column, lambda x: (1 - share) * normal.cdf(x) + share * beta.cdf(x))
        assert test.pvalue > 1e-4


def test_rai_picks_one_parameter_a_unit() -> None:
    """With a large fan-in the normal draws are small, and the one that was picked stands out."""
    fan_in, level = 100, 0.36
    weight, bias = rai((UNITS, fan_in), random_stream(1, "weights"))
    high = torch.cat([weight, bias[:, None]], dim=1) > level
    assert level > 5.9 * RAI_SPREAD / fan_in**0.5
    assert high.sum(1).max() == 1
    above = 1 - level**2
    assert abs(high.sum().item() / UNITS - above) <= 4 * (above * (1 - above) / UNITS) ** 0.5
    assert high.any(0).all()


def test_streams_depend_on_seed_and_purpose_only() -> None:
    draws = [torch.rand(3, generator=random_stream(*key)) for key in ((1, "a"), (1, "a"), (1, "b"), (2, "a"))]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[3])
