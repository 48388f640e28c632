"""Interventions in action, one class for each kind that ``dying_relu.configuration.interventions`` declares.

``act``         what all of them have in common, and their registry
``rates``       learning rates that change: switch, burst, ramp, cosine
``parameters``  layers, weights or biases with rates of their own, or frozen; new labels
``removal``     units removed for good: at random, or those that a damaged twin lost
``death``       death forbidden: by renewal, by undoing, by the bias; dead units renewed once
``slopes``      ReLU made leaky, leaky ReLU made ReLU
``counting``    units that are dead, or nearly so, on all training examples
``choice``      units chosen at random, as many as another network would lose
"""

from dying_relu.training.interventions import death, parameters, rates, removal, slopes
from dying_relu.training.interventions.act import ACTS, Act, acts

__all__ = ["ACTS", "Act", "acts", "death", "parameters", "rates", "removal", "slopes"]
