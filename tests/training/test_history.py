"""What is followed of networks and units from checkpoint to checkpoint, and taken up again from a saved state."""

import torch

from dying_relu.training.history import NEVER, History

CPU = torch.device("cpu")


def flags(*units: int) -> torch.Tensor:
    """One network of four units, of which these are dead."""
    return torch.tensor([[unit in units for unit in range(4)]])


def followed(*checkpoints: torch.Tensor) -> History:
    history = History(1, CPU)
    for dead in checkpoints:
        history.add({"linear1": dead})
    return history


def test_nothing_has_happened_at_the_first_checkpoint() -> None:
    units = followed(flags(0, 1)).layers["linear1"]
    assert not units.died.any()
    assert not units.revived.any()
    assert torch.equal(units.born_dead, flags(0, 1))


def test_deaths_and_revivals_are_counted_since_the_checkpoint_before_and_over_all() -> None:
    units = followed(flags(0, 1), flags(0, 2), flags(0, 3)).layers["linear1"]
    assert torch.equal(units.died, flags(3))
    assert torch.equal(units.revived, flags(2))
    assert torch.equal(units.died_since_birth, flags(3))
    assert torch.equal(units.revived_for_good, flags(1, 2))
    assert torch.equal(units.born_dead, flags(0, 1))


def test_a_network_that_overflowed_keeps_the_step_of_the_first_time() -> None:
    history = History(3, CPU)
    history.mark_overflowed(torch.tensor([False, True, False]), 4)
    history.mark_overflowed(torch.tensor([False, True, True]), 5)
    assert history.overflow_step.tolist() == [NEVER, 4, 5]
    assert history.overflowed.tolist() == [False, True, True]


def test_a_history_goes_on_from_its_state() -> None:
    undisturbed, first = followed(flags(0), flags(1), flags(2)), followed(flags(0), flags(1))
    first.mark_overflowed(torch.tensor([True]), 3)
    resumed = History(1, CPU)
    resumed.restore(first.state())
    resumed.add({"linear1": flags(2)})
    assert resumed.overflow_step.tolist() == [3]
    for name, expected in vars(undisturbed.layers["linear1"]).items():
        assert torch.equal(getattr(resumed.layers["linear1"], name), expected)
