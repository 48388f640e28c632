"""Initial weights: the moments and the asymmetry that each scheme promises, and streams of random numbers."""

from dataclasses import replace

import pytest
import torch
from scipy import stats
from stack import test_equality

from dying_relu.stack.initialisation import (
    LSUV_EXAMPLES,
    LSUV_TOLERANCE,
    RAI_SPREAD,
    SCHEMES,
    lsuv,
    rai,
    random_stream,
)
from dying_relu.training.models import as_inputs, build, prepare

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


def test_lsuv_makes_every_layer_put_out_variance_one_and_leaves_other_networks() -> None:
    runs = [
        replace(run, initialisation=("lsuv", "he")[place % 2], initial_bias=0.0)
        for place, run in enumerate(test_equality.runs("relu", "sgd"))
    ]
    for architecture in test_equality.ARCHITECTURES.values():
        shape = (architecture, runs, test_equality.IMAGE, test_equality.CLASSES)
        network, untouched = (build(*shape, seed=0, device=torch.device("cpu")) for _ in range(2))
        images = torch.cat([x for x, _ in test_equality.batches(20)]) * 3
        examples = as_inputs(architecture, images)
        prepare(network, runs, examples)
        for _, z in network.trace(examples[:LSUV_EXAMPLES]):
            assert abs(z[0].var() - 1) < LSUV_TOLERANCE
        for here, there in zip(network.parameters(), untouched.parameters(), strict=True):
            assert torch.equal(here.value[1], there.value[1])
            scale = here.value[0].norm() / there.value[0].norm()
            torch.testing.assert_close(here.value[0], (scale * there.value[0]).nan_to_num(0.0))


def test_lsuv_begins_with_orthonormal_weights() -> None:
    weight, bias = lsuv((4, 3, 3, 3), random_stream(0, "weights"))
    torch.testing.assert_close(weight.flatten(1) @ weight.flatten(1).T, torch.eye(4))
    assert (bias == 0).all()
