"""A Lightning training logs its dead units, and is the same as without."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint
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


def fit(
    module: LightningModule, folder: Path, callbacks: list[Callback], accumulate: int = 1, epochs: int = 1
) -> Trainer:
    loader = DataLoader(TensorDataset(INPUTS, LABELS), batch_size=8, shuffle=True)
    torch.manual_seed(2)
    trainer = Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=CSVLogger(folder, flush_logs_every_n_steps=1),
        callbacks=callbacks,
        accumulate_grad_batches=accumulate,
        enable_checkpointing=any(isinstance(one, ModelCheckpoint) for one in callbacks),
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, loader)
    return trainer


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


class Dying(Module):
    """All units die in the second of five epochs."""

    def on_train_epoch_start(self) -> None:
        if self.current_epoch == 1:
            with torch.no_grad():
                self.body[0].bias.fill_(-1e4)


class Validated(Dying):
    def val_dataloader(self) -> DataLoader:
        return DataLoader(TensorDataset(INPUTS, LABELS), batch_size=8)

    def validation_step(self, batch: list[Tensor]) -> None:
        self(batch[0])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("epoch_end", [True, False], ids=["at the end of an epoch", "at a validation"])
def test_early_stopping_and_checkpoints_see_the_dead(tmp_path: Path, epoch_end: bool) -> None:
    stopping = EarlyStopping(
        "dead_fraction", stopping_threshold=None, divergence_threshold=0.9, check_on_train_epoch_end=epoch_end
    )
    best = ModelCheckpoint(tmp_path, monitor="dead/body.1", filename="best", save_on_train_epoch_end=True)
    module = Dying() if epoch_end else Validated()
    trainer = fit(module, tmp_path, [stopping, best, DeadUnits([INPUTS], every=5)], epochs=5)
    assert trainer.current_epoch == 2
    assert float(best.best_model_score) == 0.25
    assert trainer.callback_metrics["dead_fraction"] == 1.0
    assert torch.load(best.best_model_path, weights_only=False)["global_step"] == 5


class WithoutForward(LightningModule):
    """Its networks are parts, and only the training step calls them."""

    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        torch.manual_seed(0)
        for name, part in parts.items():
            setattr(self, name, part)

    def training_step(self, batch: list[Tensor]) -> Tensor:
        return sum(part(batch[0]).square().mean() for part in (self.net, getattr(self, "critic", self.net)))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


@pytest.mark.filterwarnings("ignore")
def test_a_module_without_forward_is_probed_by_its_part(tmp_path: Path) -> None:
    alone = DeadUnits([INPUTS], every=2)
    fit(WithoutForward(net=net(), loss=nn.CrossEntropyLoss()), tmp_path, [alone])
    assert alone.monitor.history["step"].tolist() == [0, 2, 4, 5]
    for model in ("critic", lambda module: module.critic):
        named = DeadUnits([INPUTS], every=5, model=model)
        module = WithoutForward(net=net(), critic=net())
        fit(module, tmp_path, [named])
        assert named.monitor.model is module.critic


def test_where_the_part_cannot_be_told_the_training_goes_on(tmp_path: Path) -> None:
    callback = DeadUnits([INPUTS], every=2)
    with pytest.warns(
        UserWarning, match=r"has no forward, and several parts with parameters \(net, critic\)"
    ):
        trainer = fit(WithoutForward(net=net(), critic=net()), tmp_path, [callback])
    assert trainer.global_step == 5
    assert callback.monitor is None
