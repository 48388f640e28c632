"""The tables that are simulated without data (:mod:`dying_relu.simulations`): the meaning of their rows and columns, and their laws."""

import pandera.pandas as pa

from dying_relu.results.columns import POSITIVE, at_most, count, flag, real, share, table, text

VALIDATION = table(
    {
        "check": text("Name of the check."),
        "source": text(
            "Key of the source in the paper's references, label of an equation of the paper, or independent samples."
        ),
        "quantity": text("The probability, in the paper's letters."),
        "kind": text(
            "Whether the published value is one number or admits a range.", one_of=["exact", "reported"]
        ),
        "published": text("The value as its source gives it; empty for a formula."),
        "low": share("Smallest probability that the published value admits."),
        "high": share("Largest probability that the published value admits."),
        "ours": share("Share of our trials in which it happened."),
        "standard_error": share(
            "Standard error of that share: of the exact value over as many trials, or of the estimate."
        ),
        "trials": count("Networks or units that were tried.", POSITIVE),
        "difference": real(
            "The share minus the nearest value that the published one admits.", pa.Check.in_range(-1, 1)
        ),
        "agrees": flag("Whether the difference is within the tolerance, in standard errors."),
    },
    checks=[
        at_most("low", "high"),
        pa.Check(lambda t: (t["low"] == t["high"]) == (t["kind"] == "exact"), name="exact iff one value"),
    ],
    unique=["check"],
    name="validation",
    row="a published or theoretical probability, and our estimate of it",
)

BORN_DEAD = table(
    {
        "initialisation": text("Initialisation scheme of weights and biases."),
        "inputs": text("The set of inputs: one point, a line, a plane or an interval."),
        "width": count("Units of every hidden layer."),
        "weight_layers": count("Layers of weights: one more than hidden layers."),
        "networks": count("Random networks.", POSITIVE),
        "born_dead": count("Those of them that are constant on the inputs before training."),
    },
    checks=[at_most("born_dead", "networks")],
    unique=["initialisation", "inputs", "width", "weight_layers"],
    name="born_dead",
    row="random networks of one shape before training",
)

SIMULATIONS = {"validation": VALIDATION, "born_dead": BORN_DEAD}
"""The tables that are simulated without data; see :mod:`dying_relu.simulations`."""
