"""Inputs have the means, offsets and components that their names promise, estimated on training examples alone."""

import pytest
import torch

from dying_relu.configuration import inputs as kinds
from dying_relu.configuration.inputs import INPUTS, Images, Inputs
from dying_relu.errors import DyingReluError

PIXELS = torch.randint(0, 256, (220, 2, 6, 6), generator=torch.Generator().manual_seed(0))
MEAN, STD = torch.tensor([0.3, 0.5]), torch.tensor([0.2, 0.25])
STANDARDISED = (PIXELS / 255 - MEAN.view(-1, 1, 1)) / STD.view(-1, 1, 1)


def images() -> Images:
    train, test = STANDARDISED[:200], STANDARDISED[200:]
    return Images(train, test, train, MEAN, STD)


def made_by(*changes: Inputs) -> Images:
    made = images()
    for change in changes:
        made = change.changed(made)
    return made


def offset_share(x: torch.Tensor) -> float:
    rows = x.flatten(1).double()
    return float(rows.mean(0).square().sum() / rows.square().sum(1).mean())


CENTRED = kinds.Centred(kind="centred")


def test_raw_pixels_are_those_of_the_file_to_the_bit() -> None:
    made = made_by(kinds.Raw(kind="raw"))
    assert torch.equal(made.train, PIXELS[:200] * torch.tensor(255.0).reciprocal())
    inverted = made_by(kinds.Inverted(kind="inverted"))
    assert torch.equal(inverted.test, 1 - made.test)


def test_centred_inputs_have_no_mean_image_and_one_deviation() -> None:
    made = made_by(CENTRED)
    assert made.train.mean(0).abs().max() < 1e-6
    assert made.train.std() == pytest.approx(1, abs=1e-5)
    mean, deviation = STANDARDISED[:200].mean(0), (STANDARDISED[:200] - STANDARDISED[:200].mean(0)).std()
    torch.testing.assert_close(made.test, (STANDARDISED[200:] - mean) / deviation)


@pytest.mark.parametrize("direction", ["mean", "random", "constant"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_an_offset_makes_the_share_that_is_asked_for(share: float, direction: str) -> None:
    before = made_by(CENTRED)
    made = made_by(CENTRED, kinds.Offset(kind="offset", share=share, direction=direction))
    assert offset_share(made.train) == pytest.approx(share, abs=1e-6)
    added = made.train - before.train
    torch.testing.assert_close(added, added[:1].expand_as(added), atol=1e-5, rtol=0)
    torch.testing.assert_close(made.test - before.test, added[:1].expand_as(made.test), atol=1e-5, rtol=0)


def test_an_offset_of_inputs_that_have_one_counts_it() -> None:
    made = made_by(
        kinds.Raw(kind="raw"), kinds.Offset(kind="offset", of="raw", share=0.95, direction="random")
    )
    assert offset_share(made.train) == pytest.approx(0.95, abs=1e-5)
    with pytest.raises(DyingReluError, match="start from centred inputs"):
        made_by(kinds.Raw(kind="raw"), kinds.Offset(kind="offset", of="raw", share=0.01))


@pytest.mark.parametrize(("number", "share"), [(1, 0.0), (5, 0.3), (72, 0.6)])
def test_principal_components_are_those_of_the_singular_values(number: int, share: float) -> None:
    made = made_by(kinds.PrincipalComponents(kind="principal_components", number=number, share=share))
    assert made.train.shape == (200, number, 1, 1)
    assert offset_share(made.train) == pytest.approx(share, abs=1e-6)
    components = made.train.flatten(1) - made.train.flatten(1).mean(0)
    assert components.square().mean() == pytest.approx(1, abs=1e-4)
    rows = STANDARDISED[:200].flatten(1).double()
    values = torch.linalg.svdvals(rows - rows.mean(0))[:number]
    ratio = components.double().norm(dim=0) / values
    torch.testing.assert_close(ratio, ratio[:1].expand_as(ratio), rtol=1e-4, atol=1e-6)


def test_more_components_than_there_are_is_an_error() -> None:
    with pytest.raises(DyingReluError, match="too few principal components"):
        made_by(kinds.PrincipalComponents(kind="principal_components", number=73))


def test_scaled_inputs_are_multiples() -> None:
    made = made_by(kinds.Scaled(kind="scaled", factor=3.0))
    assert torch.equal(made.test, STANDARDISED[200:] * 3)


def test_no_change_looks_at_test_images() -> None:
    settings = {
        "offset": {"share": 0.5}, "principal_components": {"number": 3}, "scaled": {"factor": 2.0},
    }  # fmt: skip
    for name, kind in INPUTS.items():
        change = kind(kind=name, **settings.get(name, {}))
        other = images()._replace(test=images().test + 100)
        assert torch.equal(change.changed(other).train, change.changed(images()).train)
