"""On random networks the probe counts what a brute-force count in float64 finds, however the data are split and ordered."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from dying_relu import probe
from dying_relu.probing import statistics as scanning

KINDS = {
    "relu": (nn.ReLU, lambda z: z <= 0),
    "relu in place": (lambda: nn.ReLU(inplace=True), lambda z: z <= 0),
    "hardtanh": (lambda: nn.Hardtanh(0, 1), lambda z: z <= 0),
    "leaky": (lambda: nn.LeakyReLU(0.1), lambda z: torch.zeros_like(z, dtype=torch.bool)),
    "elu": (nn.ELU, lambda z: torch.zeros_like(z, dtype=torch.bool)),
}
"""Kind -> module, and where its output and its derivative are both 0."""


@st.composite
def networks(draw: st.DrawFn) -> tuple[nn.Sequential, Tensor, list[str]]:
    """A random MLP or CNN in float64, some units pushed down, its inputs and the kinds of its activations."""
    torch.manual_seed(draw(st.integers(0, 9999)))
    convolves, examples = draw(st.booleans()), draw(st.integers(1, 12))
    features, kinds = (
        draw(st.integers(1, 4)),
        draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3)),
    )
    inputs = torch.randn(examples, features, *((4, 3) if convolves else ()), dtype=torch.float64)
    layers: list[nn.Module] = []
    for kind in kinds:
        units = draw(st.integers(1, 9))
        layer = nn.Conv2d(features, units, 3, padding=1) if convolves else nn.Linear(features, units)
        with torch.no_grad():
            layer.bias -= 1.5 * torch.rand(units)
        layers += [layer, KINDS[kind][0]()]
        features = units
    return nn.Sequential(*layers).double(), inputs, kinds


def brute_force(model: nn.Sequential, inputs: Tensor, kinds: list[str]) -> list[dict[str, list]]:
    """Layer by layer, example by example; activations in place would overwrite what is counted, hence the copies."""
    found, x = [], inputs
    for n, kind in enumerate(kinds):
        z = torch.cat([model[2 * n](example[None]) for example in x]).detach()
        by_unit = z.movedim(1, 0).flatten(1)
        found.append(
            {
                "dead": [bool(KINDS[kind][1](unit).all()) for unit in by_unit],
                "inactive": [max(unit.tolist()) <= 0 for unit in by_unit],
                "active": [sum(value > 0 for value in unit.tolist()) for unit in by_unit],
                "largest": [max(unit.tolist()) for unit in by_unit],
            }
        )
        x = model[2 * n + 1](z.clone())
    return found


@given(drawn=networks(), cut=st.integers(1, 12), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_counts_are_those_of_brute_force_however_the_data_are_split_and_ordered(
    drawn: tuple[nn.Sequential, Tensor, list[str]], cut: int, seed: int
) -> None:
    model, inputs, kinds = drawn
    order = torch.randperm(len(inputs), generator=torch.Generator().manual_seed(seed))
    report = probe(model, inputs[order].split(cut))
    for name, expected in zip(report.layers, brute_force(model, inputs, kinds), strict=True):
        table, seen = report.units(name), report.layers[name].statistics
        assert table["dead"].tolist() == expected["dead"]
        assert table["inactive"].tolist() == expected["inactive"]
        assert seen.active_count.tolist() == expected["active"]
        torch.testing.assert_close(
            seen.pre_activation_max, torch.tensor(expected["largest"], dtype=torch.float64)
        )


@given(
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    axis=st.integers(-5, 4),
    channels_last=st.booleans(),
    wide=st.booleans(),
    values=st.sampled_from([[-1.0, 0.0, 2.0], [-1.0, torch.nan, 1.0], [-torch.inf, -3.0, torch.inf]]),
    seed=st.integers(0, 99),
)
@settings(max_examples=80, deadline=None)
def test_the_scan_is_right_for_any_shape_layout_and_value(
    shape: list[int], axis: int, channels_last: bool, wide: bool, values: list[float], seed: int
) -> None:
    axis = axis % len(shape)
    generator = torch.Generator().manual_seed(seed)
    z = torch.tensor(values)[torch.randint(3, shape, generator=generator)]
    z = z.double() if wide else z
    if channels_last and z.dim() == 4:
        z = z.to(memory_format=torch.channels_last)
    seen = scanning.relu_statistics(z, axis, before=scanning.relu_statistics(z, axis))
    units = z.double().movedim(axis, 0).flatten(1) if z.dim() > 1 else z.double()[:, None]
    torch.testing.assert_close(seen.pre_activation_min.double(), units.amin(1), equal_nan=True)
    torch.testing.assert_close(seen.pre_activation_max.double(), units.amax(1), equal_nan=True)
    torch.testing.assert_close(seen.activation_sum, 2 * units.relu().sum(1), equal_nan=True)
    assert seen.active_count.tolist() == (2 * (units > 0).sum(1)).tolist()
    assert seen.count == 2 * units.shape[1]
