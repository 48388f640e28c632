"""The tables of the made-up study of the findings, with planted effects."""

import numpy as np
import pandas as pd
from planted_deaths import NOISE, UNITS, input_mean_norm, input_mean_norm_1, offset_share, pre_activation_sd
from planted_effects import Effects
from planted_networks import CHOOSING, SWITCH, WHEN

from dying_relu.results import schemas


def _accuracy(networks: pd.DataFrame, effects: Effects) -> pd.Series:
    arm, experiment = networks["intervention"], networks["experiment"]
    left = arm.str.extract(r"^kill_(\d+)$")[0].astype(float)
    width = experiment.str.extract(r"^living_(\d+)$")[0].astype(float)
    loss = (width - left).map({10: effects.ten, 2: effects.two}).fillna(0.0)
    damage = effects.damage
    loss = loss.mask(arm.str.fullmatch(r"high_\d+"), damage)
    loss = loss.mask(arm.str.startswith("lack_dead"), damage * effects.strictly)
    loss = loss.mask(arm.str.startswith("lack_nearly"), damage * effects.nearly)
    loss = loss.mask(arm.str.startswith("lack_random_nearly"), damage * effects.random)
    loss = loss.mask(arm.str.endswith("_renewed"), effects.renewed)
    loss = loss.mask(arm.str.fullmatch(r"high_\d+_placebo"), effects.renewed + effects.renewal)
    dies = experiment.isin(CHOOSING) & (networks["learning_rate"] > 0.2)
    return 0.9 - loss.mask(dies, 0.9 - effects.rescued) + NOISE * networks["noise"]


def _overflowed(networks: pd.DataFrame, effects: Effects) -> pd.Series:
    dies = networks["experiment"].isin(CHOOSING) & (networks["learning_rate"] > 0.2)
    rank = np.random.default_rng(7).uniform(size=len(networks))
    forbidden = networks["intervention"].str.startswith("forbid") | (networks["activation"] == "leaky_relu")
    again = networks["intervention"] == "placebo_of_renewal_again"
    return dies & ((forbidden & (rank < effects.forbidden)) | (again & (rank < effects.renewed_again)))


def runs(networks: pd.DataFrame, shares: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    new = shares.mean(axis=1)
    overflowed = _overflowed(networks, effects)
    accuracy = _accuracy(networks, effects)
    final = [
        name for name in schemas.RUNS.columns if name.endswith(("_fraction", "_probe", "_fraction_test"))
    ]
    table = networks.assign(**dict.fromkeys(final, new)).assign(
        shard=networks["experiment"],
        slope=np.where(networks["activation"] == "relu", 0.0, 0.01),
        initialisation="he",
        initial_bias=0.0,
        loss_function="cross_entropy",
        batch_size=50,
        train_examples=2000,
        test_examples=10000,
        precision="float32",
        stack_size=4,
        hidden_units=2 * UNITS,
        parameters=1000,
        outcome=np.where(overflowed, "diverged", "trained"),
        overflowed=overflowed,
        overflow_step=pd.array(np.where(overflowed, 50, -1), dtype="Int64"),
        initial_loss=2.4,
        peak_loss=np.where(overflowed, np.inf, np.where(networks["learning_rate"] > 0.2, 20.0, 2.5)),
        train_loss=0.5,
        train_accuracy=accuracy,
        test_loss=0.5,
        test_accuracy=accuracy,
        constant=False,
        nearly_dead_fraction=0.0,
        born_dead_fraction=0.0,
        revived_fraction=0.0,
        effective_rank=10.0,
        pruned_difference=0.0,
        pruned_answers=0.0,
        mean_slope=0.0,
    )
    lost = [*final, "train_loss", "train_accuracy", "test_loss", "test_accuracy", "effective_rank"]
    lost += ["pruned_difference", "pruned_answers", "mean_slope"]
    table[lost] = table[lost].mask(overflowed)
    table["overflow_step"] = table["overflow_step"].mask(~overflowed)
    return table


def layers(networks: pd.DataFrame, shares: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    norms = input_mean_norm(networks)
    overflowed = _overflowed(networks, effects)
    leaky = networks["activation"] == "leaky_relu"
    zero = [name for name in schemas.LAYERS.columns if name not in ("run", "layer", "probe", "slope")]
    parts = []
    for depth in (1, 2):
        final = (shares[depth] * UNITS).round()
        final = final.mask(leaky, (final - UNITS * effects.flat).clip(0, UNITS)).round()
        for step in sorted({0, 200, *WHEN}):
            when = networks["experiment"] == "when"
            here = (when & (step in WHEN)) | (~when & (step in (0, 200)))
            if step:
                here &= ~overflowed
            dead = final * _progress(networks, step, effects)
            parts.append(
                pd.DataFrame(dict.fromkeys(zero, 0), index=networks.index).assign(
                    run=networks["run"],
                    step=step,
                    layer=f"linear{depth}",
                    depth=depth,
                    probe="train",
                    units=UNITS,
                    slope=0.0,
                    offset_share=offset_share(networks),
                    input_mean_norm=norms,
                    input_mean_norm_1=input_mean_norm_1(networks),
                    pre_activation_sd=pre_activation_sd(networks),
                    inactive=dead.round(),
                    **{name: dead.mask(leaky, 0).round() for name in ("dead", "dead_all", "new_dead_all")},
                    **dict.fromkeys(("saturated", "dormant_0", "dormant_0025", "dormant_01"), dead.round()),
                )[here]
            )
    return pd.concat(parts)


def _progress(networks: pd.DataFrame, step: int, effects: Effects) -> pd.Series:
    """The part of the final deaths that a network has at a step."""
    switch = networks["intervention"].map(SWITCH).fillna(0)
    soon = networks["optimiser"].map(dict(zip(("sgd", "adam", "momentum"), effects.soon, strict=True)))
    done = soon.where(step < networks["steps"], 1.0).where(networks["experiment"] == "when", 1.0)
    return done.where(step > switch, 0.0) if step else 0.0 * done


def units(networks: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    """Ten units of the first layer of the networks whose biases are followed; eight of them die."""
    here = networks[(networks["experiment"] == "mean_biases") & (networks["intervention"] == "none")]
    norms = pd.Series(input_mean_norm(networks), networks.index)[here.index]
    part = (1 / (1 + norms**2) + effects.bias_part_error).to_numpy()
    names = [name for name, column in schemas.UNITS.columns.items() if "float" in str(column.dtype)]
    rows = []
    for step in (0, 200):
        for unit in range(10):
            dead = np.full(len(here), bool(step) and unit < 8)
            fall = 1.0 + 0.1 * unit
            rows.append(
                pd.DataFrame(dict.fromkeys(names, 0.0), index=here.index).assign(
                    run=here["run"],
                    step=step,
                    layer="linear1",
                    depth=1,
                    unit=unit,
                    dead=dead,
                    dead_all=pd.array(dead, dtype="boolean"),
                    inactive=dead,
                    saturated=dead,
                    dormant_0=dead,
                    mean_pre_activation=-fall * dead,
                    bias=-fall * dead * (part + NOISE * (unit - 4)),
                )
            )
    return pd.concat(rows)


def activity(networks: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    """Units whose first active example follows the log-series: f1 units active once, and as many woken as it says, or others."""
    rows = []
    here = networks[networks["experiment"].str.startswith("activity")]
    for run, noise in zip(here["run"], here["noise"], strict=True):
        once = 30 + int(np.clip(round(2 * noise), -6, 6))
        woken = [round(effects.wake * once * np.log(1 + times)) for times in (1, 10)]
        later = round(effects.wake * once * np.log(120))
        starts = [
            *[500] * once,
            *[1000] * woken[0],
            *[5500] * (woken[1] - woken[0]),
            *[60000] * (later - woken[1]),
        ]
        starts += [10**9] * effects.asleep
        rows += [
            {"run": run, "unit": unit, "examples": examples, "active": int(start <= examples)}
            for examples in (500, 1000, 5500, 60000)
            for unit, start in enumerate(starts)
        ]
    return pd.DataFrame(rows).assign(layer="linear1", depth=1, born_dead=False)
