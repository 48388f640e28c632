"""A Trainer of Transformers logs the dead units of a model that nobody here wrote."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from dying_relu.adapters.transformers import DeadUnits

EXAMPLES = [
    {"input_ids": torch.tensor([1, 5 + place % 7, 3, 2]), "labels": torch.tensor(place % 2)}
    for place in range(16)
]


def batch(examples: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([example[name] for example in examples]) for name in examples[0]}


def trainer(folder: Path, **arguments: object) -> Trainer:
    torch.manual_seed(0)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=16,
            hidden_size=8,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=10,
            max_position_embeddings=8,
            hidden_act="relu",
        )
    )
    with torch.no_grad():
        dense = model.bert.encoder.layer[1].intermediate.dense
        dense.bias.fill_(9.0)
        dense.bias[[2, 3, 7]] = -1e4
    settings = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=2,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        **{"logging_strategy": "no", "max_steps": 5, **arguments},
    )
    return Trainer(model=model, args=settings, train_dataset=EXAMPLES, data_collator=batch)


def test_shares_are_logged_and_the_training_is_undisturbed(tmp_path: Path) -> None:
    watched = trainer(tmp_path)
    callback = DeadUnits(watched, [batch(EXAMPLES)], every=2)
    watched.add_callback(callback)
    watched.train()
    # A Trainer sets the global seed when it is made.
    alone = trainer(tmp_path)
    alone.train()
    assert all(map(torch.equal, watched.model.parameters(), alone.model.parameters()))
    layer = "bert.encoder.layer.1.intermediate.intermediate_act_fn"
    logged = [entry for entry in watched.state.log_history if "dead_fraction" in entry]
    assert [entry["step"] for entry in logged] == [0, 2, 4, 5]
    assert [entry[f"dead/{layer}"] for entry in logged] == pytest.approx([0.3] * 4)
    history = callback.monitor.history
    assert history.loc[history["layer"] == layer, "born_dead"].tolist() == [3] * 4


def test_steps_are_the_optimizers_not_the_minibatches(tmp_path: Path) -> None:
    watched = trainer(tmp_path, gradient_accumulation_steps=2)
    callback = DeadUnits(watched, [batch(EXAMPLES)], every=100)
    watched.add_callback(callback)
    watched.train()
    assert callback.monitor.history["step"].unique().tolist() == [0, 5]


LOGGING = {
    "at the steps of a measurement": {"logging_strategy": "steps", "logging_steps": 2},
    "at every step": {"logging_strategy": "steps", "logging_steps": 1},
    "between": {"logging_strategy": "steps", "logging_steps": 3, "logging_first_step": True},
    "at the end of an epoch": {"logging_strategy": "epoch", "max_steps": -1, "num_train_epochs": 2},
    "once, where a measurement is due": {"logging_strategy": "steps", "logging_steps": 20, "max_steps": 20},
    "while gradients accumulate": {
        "logging_strategy": "steps",
        "logging_steps": 2,
        "gradient_accumulation_steps": 2,
    },
}


@pytest.mark.parametrize("arguments", LOGGING.values(), ids=LOGGING)
def test_the_trainers_own_log_is_what_it_would_be_without(
    tmp_path: Path, arguments: dict[str, object]
) -> None:
    def losses(every: int) -> list[tuple[int, float]]:
        one = trainer(tmp_path, **arguments)
        if every:
            one.add_callback(DeadUnits(one, [batch(EXAMPLES)], every=every))
        one.train()
        return [(entry["step"], entry["loss"]) for entry in one.state.log_history if "loss" in entry]

    alone = losses(0)
    assert alone
    assert losses(2) == alone


def test_evaluation_and_saving_go_on_at_their_steps(tmp_path: Path) -> None:
    def history(watched: bool) -> list[dict[str, float]]:
        one = trainer(tmp_path, logging_strategy="steps", logging_steps=2)
        one.eval_dataset, one.args.eval_strategy, one.args.eval_steps = EXAMPLES[:4], "steps", 2
        if watched:
            one.add_callback(DeadUnits(one, [batch(EXAMPLES)], every=2))
        one.train()
        return one.state.log_history

    alone, watched = history(watched=False), history(watched=True)
    for kind in ("loss", "eval_loss"):
        steps = [[entry["step"] for entry in one if kind in entry] for one in (alone, watched)]
        assert steps[0] == steps[1] != []
    assert [entry["step"] for entry in watched if "dead_fraction" in entry] == [0, 2, 4, 5]
