"""LoRA: a trained model learns something new through small adapters, which can be merged into it.

Paper: Hu and others, "LoRA: low-rank adaptation of large language models", ICLR 2022.
"""

from collections.abc import Iterator

from keras import layers, ops

from dlbook.models.llm.model import LLM


def add_lora(model: LLM, rank: int) -> int:
    """Freeze a model and give each of its dense layers an adapter that is learnt instead.

    The adapter of a kernel W is A B, where A has ``rank`` columns, and B, which begins as zeros,
    ``rank`` rows: at first the model computes what it did. Keras's own ``Dense.enable_lora`` does
    it. Compile the model afterwards. To take the adapters up into the weights: ``merge_lora``.

    Args:
        model: The model; it is changed.
        rank: Columns of A and rows of B.

    Returns:
        The number of weights in the adapters.

    Raises:
        ValueError: A rank below 1, or the model has adapters already.
    """
    if rank < 1:
        raise ValueError(f"rank must be 1 or more, not {rank}")
    denses = [layer for layer in _leaves(model) if isinstance(layer, layers.Dense)]
    if any(dense.lora_enabled for dense in denses):
        raise ValueError("the model has adapters already: merge_lora gives one without")
    for variable in model.variables:
        variable.trainable = False
    for dense in denses:
        dense.enable_lora(rank)
    return sum(int(ops.size(variable)) for variable in model.trainable_variables)


def merge_lora(model: LLM) -> LLM:
    """A model without adapters that gives the same outputs: each kernel is W + A B.

    Args:
        model: A model with adapters; it stays as it is.

    Raises:
        ValueError: The model has no adapters.
    """
    if not any(getattr(layer, "lora_enabled", False) for layer in _leaves(model)):
        raise ValueError("the model has no adapters to merge: call add_lora first")
    merged = type(model).from_config(model.get_config())
    for old, new in zip(_leaves(model), _leaves(merged), strict=True):
        if isinstance(old, layers.Dense):
            new.kernel.assign(old.kernel)  # with its adapter, where it has one
            if old.use_bias:
                new.bias.assign(old.bias)
        else:
            new.set_weights(old.get_weights())
    return merged


def _leaves(model: LLM) -> Iterator[layers.Layer]:
    """The layers that have weights of their own, in a fixed order."""
    yield model.token_embedding
    if model.positions == "learned":
        yield model.position_embedding
    for block in model.blocks:
        feed_forward = block.feed_forward
        yield from (block.norm_1, block.attention.query_key_value, block.attention.project)
        yield from (block.norm_2, feed_forward.expand)
        if feed_forward.gated:
            yield feed_forward.gate
        yield feed_forward.contract
    yield model.last_norm
