"""Settings of the tests of the probe."""

import pytest
import torch


@pytest.fixture
def seeded() -> None:
    """The same models and data in every run, whichever tests came before."""
    torch.manual_seed(0)
