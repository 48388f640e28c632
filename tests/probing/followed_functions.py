"""Models whose forward is a function, as people write it, each with three dead units that can be followed."""

from collections.abc import Callable
from typing import Any

import torch
from followed_case import DEAD, NEVER, Case, kill, parameters
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from written_models import Written


def plain_parameters() -> Case:
    names = ("w1", "b1", "w2", "b2")
    parts = dict(zip(names, parameters((6, 12), (12,), (12, 4), (4,)), strict=True))
    kill(parts["b1"], DEAD)
    model = Written(lambda m, x: torch.relu(x @ m.w1 + m.b1) @ m.w2 + m.b2, **parts)
    return model, torch.randn(32, 6), "relu"


def weights_first() -> Case:
    names = ("w1", "b1", "w2")
    parts = dict(zip(names, parameters((12, 6), (12, 1), (4, 12)), strict=True))
    kill(parts["b1"], DEAD)
    model = Written(lambda m, x: (m.w2 @ torch.relu(m.w1 @ x.T + m.b1)).T, **parts)
    return model, torch.randn(32, 6), "relu"


def einsum() -> Case:
    parts = dict(zip(("w1", "b1", "w2"), parameters((6, 12), (12,), (12, 4)), strict=True))
    kill(parts["b1"], DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        return torch.einsum("btj,jk->btk", torch.relu(torch.einsum("bti,ij->btj", x, m.w1) + m.b1), m.w2)

    return Written(forward, **parts), torch.randn(8, 5, 6), "relu"


def function_linear() -> Case:
    parts = dict(zip(("w1", "b1", "w2"), parameters((12, 6), (12,), (4, 12)), strict=True))
    kill(parts["b1"], DEAD)
    forward = lambda m, x: functional.linear(functional.linear(x, m.w1, m.b1).relu(), m.w2)  # noqa: E731
    return Written(forward, **parts), torch.randn(32, 6), "relu"


def reshaped_feed() -> Case:
    """Units of a linear layer lie on two axes for a while."""
    parts = (nn.Linear(6, 12), nn.Unflatten(1, (3, 4)), nn.ReLU(), nn.Flatten(), nn.Linear(12, 4))
    kill(parts[0].bias, DEAD)
    return nn.Sequential(*parts), torch.randn(32, 6), "2"


def always_dropped_out() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4)}
    kill(parts["a"].bias, DEAD)
    model = Written(
        lambda m, x: m.b(functional.dropout(functional.relu(m.a(x)), 0.5, training=True)), **parts
    )
    return model, torch.randn(32, 6), "relu"


def with_noise() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 8), "c": nn.Linear(4, 6)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, deviation = m.b(torch.relu(m.a(x + 0.1 * torch.randn_like(x)))).chunk(2, 1)
        return m.c(mean + torch.randn_like(mean) * deviation.exp()), mean

    return Written(forward, **parts), torch.randn(32, 6), "relu"


def gated() -> Case:
    parts = {"gate": nn.Linear(6, 12), "up": nn.Linear(6, 12), "down": nn.Linear(12, 6)}
    kill(parts["gate"].bias, DEAD)
    model = Written(lambda m, x: x + m.down(torch.relu(m.gate(x)) * m.up(x)), **parts)
    return model, torch.randn(8, 5, 6), "relu"


def gated_in_halves() -> Case:
    parts = {"both": nn.Linear(6, 24), "down": nn.Linear(12, 6)}
    kill(parts["both"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        first, second = m.both(x).chunk(2, -1)
        return m.down(torch.relu(first) * second)

    return Written(forward, **parts), torch.randn(8, 5, 6), "relu"


def mixer() -> Case:
    """A layer over tokens, between two transpositions."""
    parts = {"a": nn.Linear(5, 12), "b": nn.Linear(12, 5)}
    kill(parts["a"].bias, DEAD)
    model = Written(lambda m, x: x + m.b(torch.relu(m.a(x.transpose(1, 2)))).transpose(1, 2), **parts)
    return model, torch.randn(8, 5, 6), "relu"


def adapted() -> Case:
    """A frozen layer with a correction of low rank, as in LoRA."""
    parts = {"base": nn.Linear(6, 12), "down": nn.Linear(6, 2, False), "up": nn.Linear(2, 12, False)}
    kill(parts["base"].bias, DEAD)
    parts["base"].requires_grad_(False)
    parts["o"] = nn.Linear(12, 4)
    model = Written(lambda m, x: m.o(torch.relu(m.base(x) + 2.0 * m.up(m.down(x)))), **parts)
    return model, torch.randn(32, 6), "relu"


def routed() -> Case:
    """An expert that only the second batch reaches."""
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4), "c": nn.Linear(6, 4)}
    kill(parts["a"].bias, DEAD)
    model = Written(lambda m, x: m.b(torch.relu(m.a(x))) if x.mean() > 2 else m.c(torch.tanh(x)), **parts)
    return model, [torch.randn(8, 6), torch.randn(8, 6) + 5], "relu"


def concatenated() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(18, 4)}
    kill(parts["a"].bias, DEAD)
    model = Written(lambda m, x: m.b(torch.cat([x, torch.relu(m.a(x))], -1)), **parts)
    return model, torch.randn(32, 6), "relu"


def aggregated() -> Case:
    """A graph convolution: positions are mixed before and after the activation."""
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4), "graph": torch.rand(32, 32)}
    kill(parts["a"].bias, DEAD)
    forward = lambda m, x: m.b(m.graph @ torch.relu(m.graph @ m.a(x)))  # noqa: E731
    return Written(forward, **parts), torch.randn(32, 6), "relu"


def aggregated_sparsely() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4), "graph": torch.eye(32).to_sparse()}
    kill(parts["a"].bias, DEAD)
    forward = lambda m, x: m.b(torch.sparse.mm(m.graph, torch.relu(m.a(x))))  # noqa: E731
    return Written(forward, **parts), torch.randn(32, 6), "relu"


def passed_along_edges() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4), "edges": torch.randint(0, 32, (2, 90))}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        messages = torch.relu(m.a(x[m.edges[0]]))
        return m.b(messages.new_zeros(32, messages.shape[1]).index_add(0, m.edges[1], messages))

    return Written(forward, **parts), torch.randn(32, 6), "relu"


def pooled_by_attention() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4), "scores": nn.Linear(12, 1)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        units = torch.relu(m.a(x))
        return m.b((m.scores(units).softmax(1).transpose(1, 2) @ units).squeeze(1))

    return Written(forward, **parts), torch.randn(4, 9, 6), "relu"


def masked() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        padding = x[..., :1] > 1
        units = torch.relu(m.a(x)).masked_fill(padding, 0.0)
        return m.b(torch.where(padding, 0.0, units).sum(1))

    return Written(forward, **parts), torch.randn(4, 9, 6), "relu"


def checkpointed() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        return checkpoint(lambda inputs: m.b(torch.relu(m.a(inputs))), x, use_reentrant=False)

    return Written(forward, **parts), torch.randn(32, 6), "relu"


def siamese() -> Case:
    """Both halves of the input go through the same weights."""
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        first, second = (m.b(torch.relu(m.a(one))) for one in x.chunk(2))
        return (first - second).square().sum(1)

    return Written(forward, **parts), torch.randn(32, 6), "relu"


def recurrence() -> Case:
    """Steps that share weights, which read what they compute."""
    parts = {"i": nn.Linear(6, 12), "h": nn.Linear(12, 12), "o": nn.Linear(12, 4)}
    kill(parts["i"].bias, DEAD)
    with torch.no_grad():
        parts["h"].weight.mul_(0.1)

    def forward(m: Any, x: Tensor) -> Tensor:
        state = torch.zeros(len(x), m.h.in_features)
        for step in x.unbind(1):
            state = torch.relu(m.i(step) + m.h(state))
        return m.o(state)

    return Written(forward, **parts), torch.randn(8, 5, 6), "relu"


def ensemble() -> Case:
    """Three networks in one tensor, with dead units of each."""
    names = ("w1", "b1", "w2", "b2")
    parts = dict(zip(names, parameters((3, 6, 12), (3, 1, 12), (3, 12, 4), (3, 1, 4)), strict=True))
    with torch.no_grad():
        parts["b1"].fill_(9.0)
        for member in range(3):
            parts["b1"][member, 0, member] = NEVER

    def forward(m: Any, x: Tensor) -> Tensor:
        return torch.baddbmm(m.b2, torch.relu(torch.baddbmm(m.b1, x.expand(3, *x.shape), m.w1)), m.w2)

    return Written(forward, **parts), torch.randn(32, 6), "relu"


def by_hand(rectify: Callable[[Tensor], Tensor]) -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4), "c": nn.Linear(6, 3), "d": nn.Linear(3, 4)}
    kill(parts["a"].bias, DEAD)
    model = Written(lambda m, x: m.b(rectify(m.a(x))) + m.d(torch.tanh(m.c(x))), **parts)
    return model, torch.randn(32, 6), "relu"


def as_a_product() -> Case:
    return by_hand(lambda z: z * (z > 0))


def as_a_maximum() -> Case:
    return by_hand(lambda z: torch.maximum(z, torch.zeros_like(z)))


def as_a_choice() -> Case:
    return by_hand(lambda z: torch.where(z > 0, z, 0.0))


def as_a_clamp() -> Case:
    return by_hand(lambda z: z.clamp(min=0))
