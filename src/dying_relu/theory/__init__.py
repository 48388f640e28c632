"""Predictions of the literature and of simple algebra, as functions: no data, no networks, no torch.

``born_dead``   the probability that a whole network is dead before training
``unit_death``  the probability that one unit is dead: in the first layer, on a batch, on every possible input
``travel``      how far parameters move on after their gradient has vanished, and how slowly leaky units move

The tests let networks of this package agree with every formula; :mod:`dying_relu.simulations` puts some of them side by side
for the paper. Conventions of all modules: L weight layers have L - 1 hidden layers; weights are drawn independently from
a continuous distribution that is symmetric about 0 (He's normal, PyTorch's default, ...).
"""
