"""Many networks trained as one: every tensor has a leading model axis of K networks.

The networks of a stack share their architecture, their activation and their minibatches; each has its own weights, learning
rate, slope and initial bias. What a network computes does not depend on the networks it is stacked with.

Start with :mod:`~dying_relu.stack.network`, which puts :mod:`~dying_relu.stack.layers` in a row; the gradients
are written by hand and :mod:`~dying_relu.stack.optimisers` says why.
"""
