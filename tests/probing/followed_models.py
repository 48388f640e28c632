"""Models as people write them, each with three dead units that can be followed."""

from collections.abc import Callable

from followed_case import Case
from followed_convolutions import depthwise, first_of_generator, generator, shared_head, transposed_1d, u_net
from followed_functions import (
    adapted,
    aggregated,
    aggregated_sparsely,
    always_dropped_out,
    as_a_choice,
    as_a_clamp,
    as_a_maximum,
    as_a_product,
    checkpointed,
    concatenated,
    einsum,
    ensemble,
    function_linear,
    gated,
    gated_in_halves,
    masked,
    mixer,
    passed_along_edges,
    plain_parameters,
    pooled_by_attention,
    recurrence,
    reshaped_feed,
    routed,
    siamese,
    weights_first,
    with_noise,
)
from followed_transformers import (
    bart,
    bert,
    encoder,
    encoder_and_decoder,
    encoder_layer,
    gpt2,
    llama,
    opt,
    t5,
)

CASES: list[Callable[[], Case]] = [
    *(opt, bert, gpt2, t5, encoder_layer, encoder, encoder_and_decoder, plain_parameters, weights_first, einsum),
    *(function_linear, generator, first_of_generator, reshaped_feed, transposed_1d, depthwise, always_dropped_out, with_noise, gated),
    *(gated_in_halves, mixer, adapted, routed, concatenated, aggregated, aggregated_sparsely, passed_along_edges),
    *(pooled_by_attention, masked, u_net, checkpointed, bart, llama, siamese, shared_head, recurrence, ensemble),
    *(as_a_product, as_a_maximum, as_a_choice, as_a_clamp),
]  # fmt: skip
