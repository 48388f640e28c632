"""The oracle of interventions: one network in plain PyTorch, with what is done to it written as anyone would write it."""

import copy
import math

import plain
import torch
from torch import Tensor, nn

from dying_relu.configuration.interventions import Intervention
from dying_relu.stack.initialisation import SCHEMES, random_stream


def minibatches(examples: int, size: int, seed: int):
    stream = random_stream(seed, "minibatches")
    while True:
        order = torch.randperm(examples, generator=stream)
        yield from order[: examples // size * size].split(size)


def affine(net: nn.Sequential) -> list[nn.Linear | nn.Conv2d]:
    return [module for module in net if isinstance(module, nn.Linear | nn.Conv2d)]


@torch.no_grad()
def pre_activations(net: nn.Sequential, x: Tensor) -> list[Tensor]:
    """(U, examples and positions) of each hidden layer."""
    found = []
    for module in net:
        x = module(x)
        if isinstance(module, nn.Linear | nn.Conv2d):
            found.append(x.transpose(0, 1).flatten(1))
    return found[:-1]


def dead(net: nn.Sequential, x: Tensor) -> list[Tensor]:
    return [(z <= 0).all(1) for z in pre_activations(net, x)]


def first_of(candidates: Tensor, number: int, seed: int, purpose: str) -> Tensor:
    """So many candidates, in a random order."""
    order = torch.randperm(len(candidates), generator=random_stream(seed, purpose)).tolist()
    chosen = [unit for unit in order if candidates[unit]][: int(number)]
    return torch.tensor(sorted(chosen), dtype=torch.int64)


class Slope(nn.Module):
    slope = 0.0

    def forward(self, z: Tensor) -> Tensor:
        return torch.where(z > 0, z, self.slope * z)


class Loop:
    def __init__(self, net, settings, run, x, y, size, steps, acts) -> None:
        self.net, self.settings, self.run, self.x, self.y = net, settings, run, x, y
        self.size, self.steps, self.acts, self.step = size, steps, acts, 0
        for place, module in enumerate(net):
            if isinstance(module, nn.ReLU):
                net[place] = Slope()
        self.optimiser = plain.optimiser(settings, run, net.parameters())
        self.first_loss = None
        self.spiked = False

    @torch.no_grad()
    def overwrite(self, parameter: nn.Parameter, where, value) -> None:
        """A part of a parameter, and forget its moments."""
        parameter[where] = value
        for moment in self.optimiser.state[parameter].values():
            if isinstance(moment, Tensor) and moment.shape == parameter.shape:
                moment[where] = 0.0

    def silence(self, place: int, units: Tensor) -> None:
        layer, following = affine(self.net)[place : place + 2]
        copies = following.weight.shape[1] // len(layer.bias)
        columns = torch.cat([units + copy * len(layer.bias) for copy in range(copies)])
        self.overwrite(following.weight, (slice(None), columns), 0.0)

    def remove(self, place: int, units: Tensor) -> None:
        layer = affine(self.net)[place]
        self.overwrite(layer.weight, units, 0.0)
        self.overwrite(layer.bias, units, 0.0)
        self.silence(place, units)

    def renew(self, place: int, units: Tensor, kind: str) -> None:
        layer = affine(self.net)[place]
        stream = random_stream(self.run.seed, f"{kind}/{self.step}/{place}/weights")
        weight, bias = SCHEMES[self.run.initialisation](tuple(layer.weight.shape), stream)
        self.overwrite(layer.weight, units, weight[units].to(layer.weight.dtype))
        self.overwrite(layer.bias, units, bias[units].to(layer.bias.dtype))

    def places(self, act) -> list[int]:
        hidden = len(affine(self.net)) - 1
        return [depth - 1 for depth in act.layers] if act.layers else list(range(hidden))

    def kill(self, act) -> None:
        for place in self.places(act):
            units = len(affine(self.net)[place].bias)
            number = act.number or round(act.share * units)
            self.remove(place, first_of(torch.ones(units), number, self.run.seed, f"kill/0/{place}"))

    def damage(self, act) -> None:
        born = dead(self.net, self.x)
        first = [(z > 0).double().mean(1) for z in pre_activations(self.net, self.x)]
        twin = copy.deepcopy(self.net)
        rate = act.rate or torch.tensor(self.run.learning_rate).item() * act.factor
        optimiser = plain.optimiser(self.settings, self.run, twin.parameters())
        optimiser.param_groups[0]["lr"] = torch.tensor(rate).item()
        for _, places in zip(
            range(act.steps), minibatches(len(self.x), self.size, self.run.seed), strict=False
        ):
            update(twin, optimiser, self.x[places], self.y[places], self.settings.clip_norm)
        for place in self.places(act):
            z = pre_activations(twin, self.x)[place]
            lost = (z <= 0).all(1) & ~born[place]
            if act.remove == "nearly_dead":
                share = (z > 0).double().mean(1)
                lost |= (share > 0) & (share < act.below) & (first[place] >= act.below)
            everyone, stream = torch.ones(len(lost)), f"damage/0/{place}"
            placebo = first_of(everyone, lost.sum(), self.run.seed, stream)
            units = placebo if act.placebo else lost.nonzero()[:, 0]
            self.remove(place, units)

    def begin(self) -> None:
        for act in self.acts:
            if act.kind == "kill" and act.step == 0:
                self.kill(act)
            if act.kind == "damage":
                self.damage(act)
        self.born = self.before = dead(self.net, self.x)

    def rate(self) -> float:
        rate, step = torch.tensor(self.run.learning_rate).item(), self.step
        for act in self.acts:
            match act.kind:
                case "switch" | "burst":
                    inside = (
                        step >= act.step
                        if act.kind == "switch"
                        else act.start <= step < act.start + act.steps
                    )
                    if inside == (act.side in ("after", "inside")):
                        rate = act.rate or rate * act.factor
                case "ramp":
                    rate *= act.factor + (1 - act.factor) * min(1, max(0, (step + 1 - act.start) / act.steps))
                case "cosine":
                    rate *= act.factor + (1 - act.factor) * (1 + math.cos(math.pi * step / self.steps)) / 2
        return rate

    def before_step(self) -> None:
        for act in self.acts:
            if act.kind == "kill" and act.step and act.step == self.step:
                self.kill(act)
            if act.kind == "slope_at_step" and act.step == self.step:
                self.bend(act.slope)
            if act.kind == "slope_at_step" and act.until == self.step:
                self.bend(0.0)
            if act.kind == "relabel" and act.step == self.step:
                stream, own = random_stream(self.run.seed, "labels"), torch.arange(10)
                while ((order := torch.randperm(10, generator=stream)) == own).any():
                    pass
                # The labels change; at the end the rows of the output layer go where the old labels would have them.
                self.y, self.order = order[self.y], order
            if act.kind == "renew" and act.step == self.step:
                for place in self.places(act):
                    gone = dead(self.net, self.x)[place] if place == 0 else self.found[place]
                    self.found = dead(self.net, self.x) if place == 0 else self.found
                    number = min(int(gone.sum()), max(1, int(gone.sum() * act.share)))
                    units = first_of(
                        ~gone if act.placebo else gone, number, self.run.seed, f"renew/{self.step}/{place}"
                    )
                    self.renew(place, units, "renew")
                    self.silence(place, units)

    def bend(self, slope: float) -> None:
        for module in self.net:
            if isinstance(module, Slope):
                module.slope = slope

    @torch.no_grad()
    def after_step(self, old: list[Tensor], loss: float) -> None:
        layers = affine(self.net)
        self.first_loss = loss if self.first_loss is None else self.first_loss
        parameters = list(self.net.parameters())
        for act in self.acts:
            if act.kind in ("layer_rates", "freeze"):
                depths = act.layers or range(1, len(layers))
                inside = act.kind == "layer_rates" or act.start <= self.step - 1 < (act.until or math.inf)
                for depth in depths if inside else ():
                    layer = layers[depth - 1]
                    chosen = {
                        "all": [layer.weight, layer.bias],
                        "weights": [layer.weight],
                        "biases": [layer.bias],
                    }
                    for parameter in chosen[act.parameters]:
                        before = next(o for p, o in zip(parameters, old, strict=True) if p is parameter)
                        parameter.copy_(before + (getattr(act, "factor", 0.0)) * (parameter - before))
            if act.kind == "kill" and act.spike and not self.spiked and loss > act.spike * self.first_loss:
                self.spiked = True
                self.kill(act)
            if act.kind == "slope_at_spike" and loss > act.spike * self.first_loss:
                self.bend(act.slope)
            if act.kind.startswith("forbid"):
                self.forbid(act, old)

    def forbid(self, act, old: list[Tensor]) -> None:
        now, before, layers = dead(self.net, self.x), self.before, affine(self.net)
        self.before = now
        for place in self.places(act):
            gone = now[place]
            if act.kind == "forbid_by_bias" and not act.placebo:
                gone = dead(self.net, self.x)[place]
            would = gone & ~(self.born if act.kind == "forbid_by_undoing" else before)[place]
            if getattr(act, "again", False):
                would = gone
            units = gone.nonzero()[:, 0]
            if act.placebo:
                units = first_of(~gone, would.sum(), self.run.seed, f"{act.kind}/{self.step}/{place}")
            match act.kind:
                case "forbid_by_renewal":
                    self.renew(place, units, act.kind)
                case "forbid_by_undoing":
                    layers[place].weight[units] = old[2 * place][units]
                    layers[place].bias[units] = old[2 * place + 1][units]
                case "forbid_by_bias":
                    z = pre_activations(self.net, self.x)[place][would if act.placebo else gone]
                    needed = 1e-3 * z.abs().mean(1).clamp(min=1e-6) - z.amax(1)
                    layers[place].bias[units] += needed[: len(units)]


def update(net: nn.Sequential, optimiser, x: Tensor, y: Tensor, clip_norm: float | None) -> float:
    optimiser.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    if clip_norm:
        nn.utils.clip_grad_norm_(net.parameters(), clip_norm)
    optimiser.step()
    return loss.item()


def train(
    net, settings, run, x: Tensor, y: Tensor, size: int, steps: int, acts: list[Intervention]
) -> list[float]:
    """Train ``net`` in place; returns the loss of every minibatch."""
    loop, losses = Loop(net, settings, run, x, y, size, steps, acts), []
    loop.begin()
    for _, places in zip(range(steps), minibatches(len(x), size, run.seed), strict=False):
        loop.before_step()
        (group,) = loop.optimiser.param_groups
        group["lr"] = loop.rate()
        old = [parameter.detach().clone() for parameter in net.parameters()]
        losses.append(update(net, loop.optimiser, x[places], loop.y[places], settings.clip_norm))
        loop.step += 1
        loop.after_step(old, losses[-1])
    if any(act.kind == "relabel" for act in acts):
        with torch.no_grad():
            output = affine(net)[-1]
            output.weight.copy_(output.weight[loop.order])
            output.bias.copy_(output.bias[loop.order])
    return losses
