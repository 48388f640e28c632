"""Section 4 of the plan, finding by finding: each gives a verdict and its effect."""

import numpy as np
import pandas as pd
from judging import Missing, above, below, cells, choosing, rare, reporting, verdict, within
from scipy import stats

MASS = 0.25
CASE = ["dataset", "architecture", "optimiser", "inputs", "learning_rate"]
LAW = ["dataset", "architecture", "inputs"]


class Study:
    """The tables of a study, and what several findings need of them."""

    def __init__(self, tables):
        self.runs, self.units, self.activity = tables["runs"], tables["units"], tables["activity"]
        layers = tables["layers"]
        layers = layers[layers["probe"] == "train"].astype(
            {"new_dead_all": float, "units": float, "inactive": float}
        )
        self.layers = layers.merge(self.runs[["run", "steps", "overflowed"]], on="run")
        ends = self.layers[(self.layers["step"] == self.layers["steps"]) & ~self.layers["overflowed"]]
        starts = self.layers[self.layers["step"] == 0]
        silent = starts.set_index(["run", "depth"])["inactive"]
        ends = ends.set_index(["run", "depth"])
        self.new = ends["new_dead_all"] / ends["units"]
        self.silent = (ends["inactive"] - silent.reindex(ends.index)) / ends["units"]
        self.starts = starts[starts["depth"] == 1].set_index("run")
        whole = ends["dead_all"].astype(float) == ends["units"]
        self.cut_off = {run for run, depth in ends.index[whole] if depth > 1}

    def relu(self, *names):
        """The ReLU runs of experiments, with the newly dead shares of the first two layers."""
        runs = self.runs[self.runs["experiment"].isin(names) & (self.runs["activation"] == "relu")]
        if runs.empty:
            raise Missing(f"no experiment {names[0]}")
        return runs.assign(**{f"new{depth}": self.of_layer(runs, depth) for depth in (1, 2)})

    def of_layer(self, runs, depth):
        """The newly dead share of a layer of each run."""
        index = pd.MultiIndex.from_arrays([runs["run"], [depth] * len(runs)])
        return self.new.reindex(index).to_numpy()

    def most(self, runs):
        """The newly dead share of the layer in which it is largest."""
        return self.new.groupby(level="run").max().reindex(runs["run"]).to_numpy()


def at(runs, **rates):
    """Those at the rate of their optimiser."""
    return runs[np.isclose(runs["learning_rate"], runs["optimiser"].map(rates).astype(float))]


def mean(runs, by, value):
    """The mean of a value by cell and seed, as a dictionary."""
    return runs.groupby([*by, "replicate"], sort=False)[value].mean()


def f1a(study):
    """No mean, no death."""
    by = ["dataset", "optimiser"]
    runs = reporting(study.relu("mean_inputs"))
    runs = runs[runs["architecture"] == "mlp"]
    centred = runs[runs["inputs"] == "centred"]
    any_dead = centred[~centred["overflowed"]].assign(dead=lambda t: t["new1"] > 0)
    numbers = any_dead.groupby([*by, "replicate"])["dead"].any().astype(float)
    word, effect = verdict(cells(numbers, centred, by), rare(0.2))
    control = runs[runs["inputs"] == "random_60"]
    keys = [*by, "learning_rate", "replicate"]
    calm = control.merge(any_dead.loc[~any_dead["run"].isin(study.cut_off), keys], on=keys)
    largest = calm.groupby([*by, "replicate"])["new1"].max()
    controlled, _ = verdict(cells(largest, centred, by), above(MASS))
    return (word if controlled == "holds" else "not settled"), effect


def f1b(study):
    """Dose."""
    every = reporting(study.relu("mean_dose"))
    runs = at(every, sgd=0.2, momentum=0.1, adam=0.02)
    zero = every[every["inputs"] == "mean_0"].groupby(["optimiser", "replicate"])["new1"].max()
    table = {}
    for optimiser in runs["optimiser"].unique():
        here = runs[runs["optimiser"] == optimiser].pivot_table("new1", index="replicate", columns="inputs")
        for direction in ("mean", "random", "constant"):
            table[optimiser, direction] = here[f"{direction}_60"] - zero[optimiser]
    return verdict(pd.DataFrame(table).reindex(sorted(runs["replicate"].unique())), above(0.25))


def f1c(study):
    """The bias is not needed."""
    runs = at(reporting(study.relu("mean_biases")), sgd=0.4, momentum=0.2, adam=0.02)
    runs = runs[runs["inputs"] == "standardised"]
    wide = runs.pivot_table("new1", index="replicate", columns=["optimiser", "intervention"])
    seeds = sorted(runs["replicate"].unique())
    table = {}
    for optimiser in runs["optimiser"].unique():
        trained = wide[optimiser]["none"]
        frozen = wide[optimiser]["frozen_biases"]
        larger = trained.where(trained > frozen, frozen)
        table[optimiser] = (frozen - trained).where(larger >= MASS).reindex(seeds)
    return verdict(pd.DataFrame(table), within(-0.1, 0.1))


def f1d(study):
    """Hidden layers, too."""
    runs = reporting(study.relu("mean_hidden"))
    runs = runs[runs["optimiser"] == "adam"]
    wide = runs.pivot_table("new2", index="replicate", columns=["learning_rate", "architecture"])
    table = {rate: wide[rate]["mlp"] - wide[rate]["centred"] for rate in (0.02, 0.04)}
    return verdict(pd.DataFrame(table).reindex(sorted(runs["replicate"].unique())), above(0.1))


def f1e(study):
    """The bias's share of a fall."""
    runs = reporting(study.relu("mean_biases"))
    runs = runs[runs["optimiser"].isin(["sgd", "momentum"]) & (runs["intervention"] == "none")]
    units = study.units[study.units["depth"] == 1].merge(
        runs[~runs["overflowed"]], on="run", suffixes=("", "_run")
    )
    units = units.astype({"bias": float, "mean_pre_activation": float})
    units["silent"] = units["dead_all"].fillna(units["dead"]).astype(bool)
    keys = ["run", "unit"]
    first = units[units["step"] == 0].set_index(keys)
    last = units[units["step"] == units["steps"]].set_index(keys).reindex(first.index)
    fall = first["mean_pre_activation"] - last["mean_pre_activation"]
    died = last["silent"].eq(True) & ~first["silent"] & (fall > 0)
    part = ((first["bias"] - last["bias"]) / fall)[died].rename("part").reset_index()
    norm = study.starts["input_mean_norm"].reindex(part["run"]).to_numpy()
    part = part.assign(error=part["part"] - 1 / (1 + norm**2)).merge(
        runs[["run", "optimiser", "inputs", "replicate"]], on="run"
    )
    table = cells(
        part.groupby(["optimiser", "inputs", "replicate"])["error"].median(), runs, ["optimiser", "inputs"]
    )
    table = table.loc[:, table.notna().sum() >= 0.75 * len(table)]
    if not any(
        name.endswith(("components_1", "components_2", "components_3", "components_5")) for name in table
    ):
        raise Missing("no deaths where the bias has a part")
    return verdict(table, within(-0.1, 0.1))


def _onsets(table, predicted=None):
    """Onsets by setting, of a table: a row a seed, columns settings and rates.

    predicted: onsets; where one lies inside the grid and none was observed, the end of the grid stands for it.
    """
    medians = table.median().where(table.notna().mean() >= 0.5)
    found = {}
    for setting in dict.fromkeys(column[:3] for column in table.columns):
        curve = medians[setting].dropna().sort_index()
        rates, shares = curve.index.to_numpy(), curve.to_numpy()
        places = [place for place in range(len(curve)) if shares[place] >= MASS]
        found[setting] = np.nan
        if places and places[0] > 0:
            pair = slice(places[0] - 1, places[0] + 1)
            found[setting] = np.exp(np.interp(MASS, shares[pair], np.log(rates[pair])))
        elif predicted is not None and len(rates):
            grid = medians[setting].index
            if grid.min() <= predicted[setting] <= grid.max():
                found[setting] = rates[0] if places else rates[-1]
    return pd.Series(found)


def _law(study, optimiser):
    """Of every seed: standard deviations in octaves, and that of the law over the largest one allowed."""
    suffix = "_adam" if optimiser == "adam" else ""
    held, fit = (
        study.relu(f"{part}{suffix}", f"{part}_cifar10{suffix}") for part in ("law_held_out", "law_fit")
    )
    observed, scales = {}, {}
    for name, runs in (("held", reporting(held)), ("fit", reporting(fit))):
        table = runs.pivot_table("new1", index="replicate", columns=[*LAW, "learning_rate"])
        observed[name] = table.reindex(sorted(runs["replicate"].unique()))
        start = study.starts.reindex(runs["run"])
        known = runs[LAW].assign(
            sd=start["pre_activation_sd"].to_numpy(),
            norm1=start["input_mean_norm_1"].to_numpy(),
            norm2=start["input_mean_norm"].to_numpy() ** 2,
            rho=start["offset_share"].to_numpy(),
        )
        scales[name] = known.groupby(LAW)[["sd", "norm1", "norm2", "rho"]].mean()
    if optimiser == "adam":
        rho = scales["held"]["rho"]
        observed["held"] = observed["held"].loc[
            :, [rho[column[:3]] >= 0.1 for column in observed["held"].columns]
        ]
    constant = 56
    if optimiser == "adam":
        fitted = _onsets(observed["fit"])
        fit = scales["fit"].reindex(fitted.index)
        ratios = (fitted / (fit["sd"] / fit["norm1"]))[fit["rho"] >= 0.1].dropna()
        constant = np.exp(np.log(ratios).mean())

    errors = _errors(observed["held"], constant, scales["held"], "norm1" if optimiser == "adam" else "norm2")
    allowed = np.minimum(0.7, errors["rate"] / 3)
    return errors, (errors["law"] / allowed).mask(errors["few"], np.inf).to_frame()


def _errors(held, constant, known, norm):
    """Standard deviations in octaves of every seed."""
    scales = {
        "law": known["sd"] / known[norm],
        "one": 1 / known["norm2"],
        "two": known["rho"] / known["norm2"],
        "three": known["sd"] * known["rho"] / known["norm2"],
    }
    rows = []
    for _, seed in held.iterrows():
        table = seed.to_frame().T
        octaves = np.log2(_onsets(table, constant * scales["law"])).dropna()
        row = {
            name: (octaves - np.log2(scale.reindex(octaves.index))).std() for name, scale in scales.items()
        }
        row["rate"] = octaves.std()
        row["few"] = _onsets(table).notna().sum() < 10 or not octaves.max() - octaves.min() >= 5
        row["few"] &= bool(seed.notna().any())
        rows.append(row)
    return pd.DataFrame(rows, index=held.index)


def f2a(study):
    """The law under SGD."""
    return verdict(_law(study, "sgd")[1], below(1))


def f2b(study):
    """The law under Adam."""
    return verdict(_law(study, "adam")[1], below(1))


def f2c(study):
    """The law under SGD and its rivals."""
    errors = _law(study, "sgd")[0]
    rivals = errors[["one", "two", "three"]].min(axis=1, skipna=False)
    return verdict((rivals - errors["law"]).to_frame(), above(0))


def _mass_death(study):
    """All runs of the fuse, and the cases with mass death."""
    runs = pd.concat([study.relu("fuse").assign(network="MLP"), study.relu("fuse_cnn").assign(network="CNN")])
    untouched = choosing(runs[runs["intervention"] == "none"])
    dies = pd.Series(study.most(untouched) >= MASS, untouched.index)
    share = dies.groupby([untouched[name] for name in CASE]).mean()
    cases = share[share >= 0.5].reset_index()[CASE]
    if cases.empty:
        raise Missing("no mass death")
    return runs, cases


def f3a(study):
    """Forbidding death makes networks overflow."""
    runs, cases = _mass_death(study)
    here = reporting(runs).merge(cases, on=CASE)
    share = here.groupby(["intervention", "network", "replicate"])["overflowed"].mean()
    placebo = share["placebo_of_renewal"].combine(share["placebo_of_renewal_again"], max)
    more = share["forbid_by_renewal"] - placebo
    return verdict(cells(more, reporting(runs), ["network"]), above(0.5))


def f3b(study):
    """The flat side does not matter before."""
    runs = study.runs[
        study.runs["experiment"].isin(["fuse", "fuse_leaky"]) & (study.runs["intervention"] == "none")
    ]
    if runs["activation"].nunique() < 2:
        raise Missing("no twins")
    chosen = choosing(runs)
    spiked = chosen["overflowed"] | (chosen["peak_loss"] > 5 * chosen["initial_loss"])
    calm = ~spiked.groupby([chosen[name] for name in CASE]).any()
    keys = [*CASE, "replicate", "depth"]
    lost = chosen[chosen["activation"] == "relu"].merge(study.new.rename("share").reset_index(), on="run")
    lost = lost.groupby([*CASE, "depth"])["share"].median()
    layers = lost[lost >= 0.05].reset_index().merge(calm[calm].reset_index()[CASE], on=CASE)[[*CASE, "depth"]]
    if layers.empty:
        raise Missing("no such cells")
    pairs = reporting(runs).merge(layers, on=CASE)
    relu, leaky = (
        pairs[pairs["activation"] == name]
        .merge(values.rename("share").reset_index(), on=["run", "depth"])
        .set_index(keys)["share"]
        for name, values in (("relu", study.new), ("leaky_relu", study.silent))
    )
    both = pd.DataFrame({"difference": (relu - leaky).abs(), "dead": relu}).dropna()
    sums = both.groupby(["optimiser", "replicate"]).sum()
    part = sums["difference"] / sums["dead"].where(sums["dead"] > 0)
    return verdict(cells(part, reporting(runs), ["optimiser"]), below(0.25))


def f3c(study):
    """Not a rescue."""
    runs, cases = _mass_death(study)
    runs = runs[runs["intervention"] == "none"]
    runs = runs.assign(score=runs["test_accuracy"].where(~runs["overflowed"], 0.1))
    setting = [name for name in CASE if name != "learning_rate"]
    means = choosing(runs).groupby(CASE)["score"].mean().reset_index()
    best = means.loc[means.groupby(setting)["score"].idxmax(), CASE]
    best = runs.merge(best, on=CASE)[[*CASE, "replicate", "score"]]
    here = (
        reporting(runs).merge(cases, on=CASE).merge(best, on=[*setting, "replicate"], suffixes=("", "_best"))
    )
    here = here[here["learning_rate"] != here["learning_rate_best"]].copy()
    here["rescued"] = (here["outcome"] == "trained") & (here["test_accuracy"] >= here["score_best"] - 0.05)
    return verdict(cells(mean(here, ["network"], "rescued"), reporting(runs), ["network"]), below(0.25))


def _by_arm(study, *names):
    """Accuracies: a row a seed, a column an optimiser and intervention."""
    runs = pd.concat(reporting(study.relu(name)) for name in names)
    return runs[runs["dataset"] == "mnist"].pivot_table(
        "test_accuracy", index="replicate", columns=["optimiser", "intervention"]
    )


def f4a(study):
    """Ten working units carry a layer."""
    table = {}
    for width in (30, 100, 300):
        arms = _by_arm(study, f"living_{width}")["sgd"]
        for units, side in ((10, 1), (2, -1)):
            table[width, units] = side * (0.1 - (arms["none"] - arms[f"kill_{width - units}"]))
    return verdict(pd.DataFrame(table), above(0))


def _damages(study):
    """Of each damage: accuracies by arm, and the loss to the damage where it is large enough."""
    arms = _by_arm(study, "damage_sgd", "damage_adam", "renewal_sgd", "renewal_adam")
    for optimiser, damage in (("sgd", 44), ("sgd", 48), ("adam", 3)):
        here = arms[optimiser]
        loss = here["none"] - here[f"high_{damage}"]
        yield damage, here, loss.where(loss >= 0.02)


def _explained(study, lack):
    return pd.DataFrame(
        {damage: (here["none"] - here[f"{lack}_{damage}"]) / loss for damage, here, loss in _damages(study)}
    )


def f4b(study):
    """The strictly dead explain little."""
    return verdict(_explained(study, "lack_dead"), below(0.25))


def f4c(study):
    """The nearly dead explain more."""
    part, random = (_explained(study, name) for name in ("lack_nearly", "lack_random_nearly"))
    margins = (part - 0.5, part - random - 0.1)
    return verdict(margins[0].where(margins[0] < margins[1], margins[1]), above(0))


def f4d(study):
    """Reviving works because it renews."""
    table = {}
    for damage, here, loss in _damages(study):
        renewed = here[f"high_{damage}_renewed"]
        placebo = here[f"high_{damage}_placebo"]
        gain = renewed.where(renewed > placebo, placebo) - here[f"high_{damage}"]
        table[damage] = (renewed - placebo).where(loss.notna() & (gain > 0.02))
    return verdict(pd.DataFrame(table), within(-0.05, 0.05))


def _soon(study, **rates):
    runs = reporting(study.relu("when"))
    wanted = [
        rate in rates.get(name, ())
        for name, rate in zip(runs["optimiser"], runs["learning_rate"], strict=True)
    ]
    runs = runs[wanted]
    runs = runs[runs["intervention"].isin(["none", "low_until_100"]) & (runs["dataset"] == "mnist")]
    dead = study.layers.groupby(["run", "step"])["new_dead_all"].sum()
    switch = runs["intervention"].map({"none": 0, "low_until_100": 100})

    def count(steps):
        return dead.reindex(pd.MultiIndex.from_arrays([runs["run"], steps])).to_numpy()

    before = count(switch)
    deaths, soon = count(runs["steps"]) - before, count(switch + 20) - before
    enough = ~runs["overflowed"] & (deaths >= 0.05 * runs["hidden_units"])
    shares = runs.assign(share=np.clip(soon / np.where(deaths > 0, deaths, np.nan), 0, 1))[enough]
    by = ["optimiser", "learning_rate", "intervention"]
    return cells(mean(shares, by, "share"), runs, by)


def f5a(study):
    """SGD and Adam are fast."""
    return verdict(_soon(study, sgd=(0.37, 0.44), adam=(0.02, 0.04)), above(0.5))


def f5b(study):
    """Momentum is not."""
    return verdict(_soon(study, momentum=(0.1, 0.13)), below(0.5))


def _activity(study):
    """The runs, and their units: on how many of the first 500, 1000, 5500 and of all examples each was active."""
    runs = reporting(study.relu("activity", "activity_adam", "activity_cnn"))
    counts = study.activity[~study.activity["born_dead"].astype(bool)]
    counts = counts[counts["run"].isin(runs.loc[runs["outcome"] == "trained", "run"])]
    wide = counts.pivot_table("active", index=["run", "layer", "unit"], columns="examples").astype(float)
    if wide.empty:
        raise Missing("no counts")
    wide["all"] = wide.max(axis=1)
    return runs, wide


def _estimates(study):
    runs, wide = _activity(study)
    rows = []
    for run, units in wide.groupby(level="run"):
        silent = units[units[500] == 0]
        once = (units[500] == 1).sum()
        for times in (1, 10):
            growth = np.log(1 + times)
            low, high = stats.nbinom.ppf([0.025, 0.975], once + 0.5, 1 / (1 + growth))
            woken = (silent[500 * (1 + times)] > 0).sum()
            covered = min(low, len(silent)) <= woken <= min(high, len(silent))
            rows.append((run, times, len(silent), min(once * growth, len(silent)), woken, covered))
    table = pd.DataFrame(rows, columns=["run", "times", "silent", "expected", "woken", "covered"])
    return runs, table.merge(runs, on="run")


def f6a(study):
    """The estimate."""
    runs, table = _estimates(study)
    by = ["dataset", "architecture", "optimiser"]
    woken = table.groupby(by)["woken"].sum()
    kept = woken[woken >= 2000].reset_index()[by]
    if kept.empty:
        raise Missing("few units wake")
    sums = table.groupby([*by, "replicate"])[["expected", "woken"]].sum()
    ratio = sums["expected"] / sums["woken"].where(sums["woken"] > 0)
    return verdict(cells(ratio, runs.merge(kept, on=by), by), within(0.8, 1.25))


def f6b(study):
    """Its interval."""
    runs, table = _estimates(study)
    table = table[table["silent"] > 0]
    share = table.groupby("replicate")["covered"].mean().reindex(sorted(runs["replicate"].unique()))
    return verdict(share.to_frame(), above(0.85))


def f6c(study):
    """Few examples mislead."""
    runs, wide = _activity(study)
    silent = wide[wide[500] == 0]
    alive = (silent["all"] > 0).rename("alive").reset_index().merge(runs, on="run")
    by = ["dataset", "architecture"]
    sgd = runs[runs["optimiser"] == "sgd"]
    return verdict(cells(mean(alive[alive["optimiser"] == "sgd"], by, "alive"), sgd, by), above(0.5))


def f7a(study):
    """The line in the phase diagram."""
    runs = reporting(study.relu("phase_diagram"))
    runs = runs[(runs["optimiser"] == "sgd") & (runs["architecture"] == "mlp")]
    start = study.starts.reindex(runs["run"])
    with np.errstate(divide="ignore"):
        line = 56 * start["pre_activation_sd"].to_numpy() / start["input_mean_norm"].to_numpy() ** 2
    finite = runs.assign(over=runs["learning_rate"].to_numpy() > line, dies=runs["new1"] >= MASS)[
        ~runs["overflowed"]
    ]

    def right(dies):
        here = finite[finite["dies"] == dies]
        return (here["over"] == dies).groupby([here["dataset"], here["replicate"]]).mean()

    line = (right(True) + right(False)) / 2
    constants = []
    for rate in sorted(finite["learning_rate"].unique()):
        finite["over"] = finite["learning_rate"] >= rate
        constants.append((right(True) + right(False)) / 2)
    least = pd.concat(constants, axis=1).max(axis=1).clip(lower=0.85)
    return verdict(cells(line - least, runs, ["dataset"]), above(0))


FINDINGS = {
    name.upper()[:2] + name[2:]: rule
    for name, rule in list(globals().items())
    if len(name) == 3 and name[:1] == "f"
}
