"""Transformers of libraries, each with three dead units that can be followed."""

import torch
from followed_case import DEAD, Case, kill
from torch import nn

from dying_relu.adapters.torchvision_import import torchvision  # noqa: F401  Transformers imports it


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
