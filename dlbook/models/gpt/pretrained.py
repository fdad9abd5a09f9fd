"""GPT-2's published weights in the book's model, through KerasHub."""

import keras
import numpy as np

from dlbook.models.gpt.model import GPT


def from_keras_hub(backbone: keras.Model) -> GPT:
    """The same model as a KerasHub ``GPT2Backbone``, with its weights.

    Args:
        backbone: A ``keras_hub.models.GPT2Backbone``.

    Returns:
        A GPT whose last hidden vectors, and so whose logits, are those of the backbone.
    """
    model = GPT(
        backbone.vocabulary_size,
        max_length=backbone.max_sequence_length,
        num_layers=backbone.num_layers,
        num_heads=backbone.num_heads,
        hidden_dim=backbone.hidden_dim,
    )
    width = backbone.hidden_dim
    model.token_embedding.set_weights([backbone.token_embedding.get_weights()[0]])
    model.position_embedding.set_weights(backbone.position_embedding.get_weights())
    for block, theirs in zip(model.blocks, backbone.transformer_layers, strict=True):
        attention = theirs._self_attention_layer
        dense = (attention._query_dense, attention._key_dense, attention._value_dense)
        kernels, biases = zip(*(layer.get_weights() for layer in dense), strict=True)
        block.attention.query_key_value.set_weights(
            [
                np.concatenate([kernel.reshape(width, width) for kernel in kernels], axis=1),
                np.concatenate([bias.reshape(width) for bias in biases]),
            ]
        )
        kernel, bias = attention._output_dense.get_weights()
        block.attention.project.set_weights([kernel.reshape(width, width), bias])
        block.norm_1.set_weights(theirs._self_attention_layer_norm.get_weights())
        block.norm_2.set_weights(theirs._feedforward_layer_norm.get_weights())
        block.expand.set_weights(theirs._feedforward_intermediate_dense.get_weights())
        block.contract.set_weights(theirs._feedforward_output_dense.get_weights())
    model.norm.set_weights(backbone.layer_norm.get_weights())
    return model


def load_gpt2(preset: str = "gpt2_base_en") -> tuple[GPT, object]:
    """GPT-2 with its published weights, and its tokenizer, through KerasHub.

    Args:
        preset: KerasHub's name of the model (downloaded, 0.5 GB for the smallest), or a folder:
            KerasHub's own form, or Hugging Face's (config.json, model.safetensors, vocab.json,
            merges.txt).

    Returns:
        The model, and KerasHub's ``GPT2Tokenizer``: call it with a text, ``detokenize`` numbers.

    Raises:
        ImportError: The extra ``pretrained`` is not installed; the message says how.
        OSError, ValueError: There is no such model.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise ImportError("GPT-2 needs KerasHub: pip install -e '.[pretrained]'") from error
    backbone = keras_hub.models.GPT2Backbone.from_preset(preset)
    return from_keras_hub(backbone), keras_hub.models.GPT2Tokenizer.from_preset(preset)
