"""A Lightning training logs its dead units, and is the same as without."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from dying_relu.adapters.lightning import DeadUnits

INPUTS = torch.randn(40, 4, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(40) % 2


class Module(LightningModule):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
        with torch.no_grad():
            self.body[0].bias.fill_(5.0)
            self.body[0].bias[[1, 6]] = -1e4

    def forward(self, inputs: Tensor) -> Tensor:
        return self.body(inputs)

    def training_step(self, batch: list[Tensor]) -> Tensor:
        return nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def fit(module: Module, folder: Path, callbacks: list[DeadUnits], accumulate: int = 1) -> None:
    loader = DataLoader(TensorDataset(INPUTS, LABELS), batch_size=8, shuffle=True)
    torch.manual_seed(2)
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=CSVLogger(folder, flush_logs_every_n_steps=1),
        callbacks=callbacks,
        accumulate_grad_batches=accumulate,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, loader)


@pytest.mark.filterwarnings("ignore")
def test_shares_are_logged_at_their_steps_and_the_training_is_undisturbed(tmp_path: Path) -> None:
    module, alone = Module(), Module()
    callback = DeadUnits(DataLoader(TensorDataset(INPUTS), batch_size=16, shuffle=True), every=2)
    fit(module, tmp_path / "with", [callback])
    fit(alone, tmp_path / "without", [])
    assert all(map(torch.equal, module.parameters(), alone.parameters()))
    (log,) = tmp_path.glob("with/**/metrics.csv")
    table = pd.read_csv(log)
    assert table["step"].tolist() == [0, 2, 4, 5]
    assert table["dead/body.1"].tolist() == [0.25] * 4
    assert table["dead_fraction"].tolist() == [0.25] * 4
    assert callback.monitor.history["born_dead"].tolist() == [2] * 4


@pytest.mark.filterwarnings("ignore")
def test_steps_are_the_optimizers_not_the_minibatches(tmp_path: Path) -> None:
    callback = DeadUnits([INPUTS], every=1)
    fit(Module(), tmp_path, [callback], accumulate=2)
    assert callback.monitor.history["step"].tolist() == [0, 1, 2, 3]
