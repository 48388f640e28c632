"""The meaning of every column of a report's tables, in a line that a page shows beside its name."""

SUMMARY = {
    "layer": "place in the model where the activation is called",
    "kind": "the activation",
    "units": "outputs of the activation; for a convolution its channels",
    "dead": "units that output 0 on every example and whose weights get no gradient from any",
    "nearly_dead": "units that are not dead, and active on less than 2 % of the examples and positions",
    "inactive": "units whose pre-activation is at most 0 on every example",
    "dormant": "units whose mean |activation| is at most 0.025 of their layer's mean",
    "saturated": "units whose derivative is at most 0.001 on every example",
    "not_finite": "units with a pre-activation that is infinite or not a number",
    "mean_gradient": "mean |d loss / d pre-activation|; needs a loss",
    "offset_share": "rho, the squared norm of the layer's mean input over the mean squared norm of its inputs: 0 if they are centred",
}
"""Of the table of layers."""

UNITS = {
    "unit": "its place in the layer, from 0",
    "dead": SUMMARY["dead"],
    "nearly_dead": SUMMARY["nearly_dead"],
    "inactive": SUMMARY["inactive"],
    "dormant": SUMMARY["dormant"],
    "saturated": SUMMARY["saturated"],
    "not_finite": SUMMARY["not_finite"],
    "active_examples": "on how many examples the pre-activation was positive, at one position at least",
    "active_share": "share of examples and positions on which the pre-activation was positive",
    "pre_activation_max": "the largest pre-activation",
    "pre_activation_mean": "the mean pre-activation: the effective bias b + w . mean(h), where a layer computes it from its inputs h",
    "pre_activation_min": "the smallest pre-activation",
    "centred_max": "the largest pre-activation if the layer's inputs had mean 0, with the same weights and bias",
    "mean_abs_activation": "mean |activation|",
    "bias": "of the layer whose output the pre-activations are, or of the normalisation behind it",
    "weight_norm": "Euclidean norm of the unit's incoming weights",
    "gradient_norm": "Euclidean norm of d loss / d pre-activation over all examples and positions; needs a loss",
    "calls": "of the layer, in which its weights are used",
}
"""Of the table of units."""
