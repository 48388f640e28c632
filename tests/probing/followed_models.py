"""Models as people write them, each with three dead units that can be followed."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from dying_relu.adapters.torchvision_import import torchvision  # noqa: F401  Transformers imports it

NEVER = -1e4


def kill(bias: Tensor, units: list[int]) -> None:
    """Make some units dead, and all others of the layer alive."""
    with torch.no_grad():
        bias.fill_(9.0)
        bias[units] = NEVER


class Written(nn.Module):
    """A model whose forward is a function, and its parts."""

    def __init__(self, forward: Callable[..., Any], **parts: nn.Module | nn.Parameter | Tensor) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.written = forward

    def forward(self, x: Tensor) -> Any:
        return self.written(self, x)


def parameters(*shapes: tuple[int, ...]) -> list[nn.Parameter]:
    return [nn.Parameter(torch.randn(shape) / 3) for shape in shapes]


Case = tuple[nn.Module, Any, str]
"""A model with three dead units, a batch, and the name of the layer with them."""
DEAD = [1, 3, 4]
DEAD_MEMBERS = [0, 13, 26]
"""Of an ensemble whose members have 12 units each."""


def opt() -> Case:
    import transformers as tf

    sizes = {"hidden_size": 16, "ffn_dim": 12, "num_hidden_layers": 2, "num_attention_heads": 2}
    model = tf.OPTForCausalLM(
        tf.OPTConfig(vocab_size=50, max_position_embeddings=32, word_embed_proj_dim=16, **sizes)
    )
    kill(model.model.decoder.layers[1].fc1.bias, DEAD)
    return model, {"input_ids": torch.randint(0, 50, (3, 7))}, "model.decoder.layers.1.activation_fn"


def bert() -> Case:
    import transformers as tf

    sizes = {"hidden_size": 16, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = tf.BertForSequenceClassification(
        tf.BertConfig(vocab_size=50, max_position_embeddings=32, hidden_act="relu", **sizes)
    )
    kill(model.bert.encoder.layer[0].intermediate.dense.bias, DEAD)
    batch = {"input_ids": torch.randint(0, 50, (3, 7)), "attention_mask": torch.ones(3, 7, dtype=torch.int64)}
    return model, batch, "bert.encoder.layer.0.intermediate.intermediate_act_fn"


def gpt2() -> Case:
    """Its layers hold their weights with the inputs first."""
    import transformers as tf

    model = tf.GPT2LMHeadModel(
        tf.GPT2Config(
            vocab_size=50,
            n_positions=32,
            n_embd=16,
            n_layer=1,
            n_head=2,
            n_inner=12,
            activation_function="relu",
        )
    )
    kill(model.transformer.h[0].mlp.c_fc.bias, DEAD)
    return model, {"input_ids": torch.randint(0, 50, (3, 7))}, "transformer.h.0.mlp.act"


def t5() -> Case:
    """An encoder and a decoder, without any bias."""
    import transformers as tf

    model = tf.T5ForConditionalGeneration(
        tf.T5Config(
            vocab_size=50, d_model=16, d_kv=8, d_ff=12, num_layers=1, num_heads=2, decoder_start_token_id=0
        )
    )
    with torch.no_grad():
        dense = model.encoder.block[0].layer[1].DenseReluDense
        dense.wi.weight.fill_(0.0)
        dense.wi.weight[[0, 2, *range(5, 12)]] = torch.randn(9, 16)
    batch = {"input_ids": torch.randint(0, 50, (3, 7)), "decoder_input_ids": torch.randint(0, 50, (3, 5))}
    return model, batch, "encoder.block.0.layer.1.DenseReluDense.act"


def encoder_layer() -> Case:
    model = nn.TransformerEncoderLayer(16, 2, 12, batch_first=True)
    kill(model.linear1.bias, DEAD)
    return model, torch.randn(3, 7, 16), "relu"


def encoder() -> Case:
    layer = nn.TransformerEncoderLayer(16, 2, 12, norm_first=True, activation=nn.ReLU())
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    kill(model.layers[1].linear1.bias, DEAD)
    return model, torch.randn(7, 3, 16), "layers.1.activation"


def encoder_and_decoder() -> Case:
    model = nn.Transformer(16, 2, 1, 1, 12, batch_first=True)
    kill(model.decoder.layers[0].linear1.bias, DEAD)
    return model, (torch.randn(3, 7, 16), torch.randn(3, 5, 16)), "decoder.layers.0:relu"


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


def generator() -> Case:
    """Noise becomes an image, as in DCGAN: a channel of the first layer is fed by 4 x 4 rows."""
    model = nn.Sequential(
        *(nn.Linear(6, 8 * 16), nn.Unflatten(1, (8, 4, 4)), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.ConvTranspose2d(8, 12, 4, 2, 1), nn.BatchNorm2d(12), nn.ReLU()),
        *(nn.ConvTranspose2d(12, 3, 4, 2, 1), nn.Tanh()),
    )
    kill(model[2].bias, DEAD)
    kill(model[5].bias, DEAD)
    return model, torch.randn(4, 6), "6"


def first_of_generator() -> Case:
    return *generator()[:2], "3"


def reshaped_feed() -> Case:
    """Units of a linear layer lie on two axes for a while."""
    parts = (nn.Linear(6, 12), nn.Unflatten(1, (3, 4)), nn.ReLU(), nn.Flatten(), nn.Linear(12, 4))
    kill(parts[0].bias, DEAD)
    return nn.Sequential(*parts), torch.randn(32, 6), "2"


def transposed_1d() -> Case:
    model = nn.Sequential(
        nn.ConvTranspose1d(3, 12, 4, 2), nn.ReLU(), nn.ConvTranspose1d(12, 3, 4, 2, groups=1), nn.Flatten()
    )
    kill(model[0].bias, DEAD)
    return model, torch.randn(4, 3, 9), "1"


def depthwise() -> Case:
    model = nn.Sequential(
        *(nn.Conv2d(3, 12, 1), nn.BatchNorm2d(12), nn.ReLU6()),
        *(nn.Conv2d(12, 12, 3, groups=12), nn.BatchNorm2d(12), nn.ReLU6(), nn.Conv2d(12, 4, 1)),
    )
    kill(model[1].bias, DEAD)
    with torch.no_grad():
        model[1].bias.clamp_(max=1.0)
    return model, torch.randn(4, 3, 8, 8), "2"


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


def u_net() -> Case:
    """A skip connection, pooling, reflection at the border and upsampling."""
    parts = {
        "down": nn.Conv2d(1, 12, 3, padding=1),
        "deep": nn.Conv2d(12, 6, 3, padding=1, padding_mode="reflect"),
        "up": nn.ConvTranspose2d(6, 4, 2, 2),
        "out": nn.Conv2d(16 + 6, 1, 1),
    }
    kill(parts["down"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        skipped = torch.relu(m.down(x))
        deep = torch.tanh(m.deep(functional.max_pool2d(skipped, 2)))
        spread = functional.interpolate(deep, scale_factor=2, mode="bilinear")
        return m.out(torch.cat([skipped, m.up(deep), spread], 1))

    return Written(forward, **parts), torch.randn(2, 1, 16, 16), "relu"


def checkpointed() -> Case:
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        return checkpoint(lambda inputs: m.b(torch.relu(m.a(inputs))), x, use_reentrant=False)

    return Written(forward, **parts), torch.randn(32, 6), "relu"


def bart() -> Case:
    import transformers as tf

    sides = ("encoder", "decoder")
    sizes = {
        f"{side}_{name}": size
        for side in sides
        for name, size in (("layers", 1), ("ffn_dim", 12), ("attention_heads", 2))
    }
    model = tf.BartForConditionalGeneration(
        tf.BartConfig(
            vocab_size=50, d_model=16, max_position_embeddings=32, activation_function="relu", **sizes
        )
    )
    kill(model.model.decoder.layers[0].fc1.bias, DEAD)
    batch = {"input_ids": torch.randint(3, 50, (3, 7)), "decoder_input_ids": torch.randint(3, 50, (3, 5))}
    return model, batch, "model.decoder.layers.0.activation_fn"


def llama() -> Case:
    """Gated units, as in all models of this family, and no bias."""
    import transformers as tf

    sizes = {"hidden_size": 16, "intermediate_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = tf.LlamaForCausalLM(
        tf.LlamaConfig(
            vocab_size=50, hidden_act="relu", num_key_value_heads=2, max_position_embeddings=32, **sizes
        )
    )
    with torch.no_grad():
        gate = model.model.layers[0].mlp.gate_proj.weight
        gate[DEAD] = 0.0
        gate[[one for one in range(12) if one not in DEAD]] += 0.5 * torch.randn(9, 16)
    return model, {"input_ids": torch.randint(0, 50, (3, 7))}, "model.layers.0.mlp.act_fn"


def siamese() -> Case:
    """Both halves of the input go through the same weights."""
    parts = {"a": nn.Linear(6, 12), "b": nn.Linear(12, 4)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> Tensor:
        first, second = (m.b(torch.relu(m.a(one))) for one in x.chunk(2))
        return (first - second).square().sum(1)

    return Written(forward, **parts), torch.randn(32, 6), "relu"


def shared_head() -> Case:
    """One head for several scales, as in detectors."""
    parts = {"a": nn.Conv2d(3, 12, 3, padding=1), "b": nn.Conv2d(12, 2, 1)}
    kill(parts["a"].bias, DEAD)

    def forward(m: Any, x: Tensor) -> list[Tensor]:
        scales = (x, functional.avg_pool2d(x, 2), functional.avg_pool2d(x, 4))
        return [m.b(torch.relu(m.a(one))) for one in scales]

    return Written(forward, **parts), torch.randn(2, 3, 16, 16), "relu"


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


CASES: list[Callable[[], Case]] = [
    *(opt, bert, gpt2, t5, encoder_layer, encoder, encoder_and_decoder, plain_parameters, weights_first, einsum),
    *(function_linear, generator, first_of_generator, reshaped_feed, transposed_1d, depthwise, always_dropped_out, with_noise, gated),
    *(gated_in_halves, mixer, adapted, routed, concatenated, aggregated, aggregated_sparsely, passed_along_edges),
    *(pooled_by_attention, masked, u_net, checkpointed, bart, llama, siamese, shared_head, recurrence, ensemble),
    *(as_a_product, as_a_maximum, as_a_choice, as_a_clamp),
]  # fmt: skip
