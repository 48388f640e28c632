"""Units that plain parameters compute have their biases: their deaths are explained, and they are revived."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from dying_relu import probe, revive

pytestmark = pytest.mark.usefixtures("seeded")


def test_a_sparse_autoencoder_of_plain_parameters() -> None:
    class Autoencoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.W_enc, self.b_enc = nn.Parameter(torch.randn(8, 64) * 0.3), nn.Parameter(torch.zeros(64))
            self.W_dec, self.b_dec = nn.Parameter(torch.randn(64, 8) * 0.3), nn.Parameter(torch.zeros(8))

        def forward(self, x: Tensor) -> Tensor:
            latents = functional.relu((x - self.b_dec) @ self.W_enc + self.b_enc)
            return latents @ self.W_dec + self.b_dec

    model = Autoencoder()
    with torch.no_grad():
        model.b_enc[:40] = -50
    report = probe(model, [torch.randn(512, 8)])
    assert report.summary()["dead"].tolist() == [40]
    assert "40 of them would be active on some example if their bias were 0: it is -50" in report.advice()
    assert revive(model, report)["revived"].tolist() == [40]
