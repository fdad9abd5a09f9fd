"""BERT's published weights in the book's model, through KerasHub."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from dlbook.models.bert.heads import Summary
from dlbook.models.bert.model import BertEncoder


class Published(NamedTuple):
    """A published BERT.

    Attributes:
        encoder: The encoder with its weights.
        summary: BERT's layer over ``[CLS]`` with its weights.
        pieces: The pieces of its vocabulary in the order of their numbers, for
            ``WordPieceVocabulary``.
        lowercase: Whether texts become small letters first, for the same.
    """

    encoder: BertEncoder
    summary: Summary
    pieces: tuple[str, ...]
    lowercase: bool


def from_keras_hub(backbone: keras.Model) -> tuple[BertEncoder, Summary]:
    """The same model as a KerasHub ``BertBackbone``, with its weights.

    Args:
        backbone: A ``keras_hub.models.BertBackbone``.

    Returns:
        An encoder whose vectors are the backbone's ``sequence_output``, and a layer that makes its
        ``pooled_output`` of them.
    """
    width = backbone.hidden_dim
    encoder = BertEncoder(
        backbone.vocabulary_size,
        max_length=backbone.max_sequence_length,
        num_layers=backbone.num_layers,
        num_heads=backbone.num_heads,
        hidden_dim=width,
        feed_forward_dim=backbone.intermediate_dim,
        num_segments=backbone.num_segments,
        dropout=backbone.dropout,
    )
    encoder.build()
    for ours, theirs in (
        (encoder.token_embedding, backbone.token_embedding),
        (encoder.position_embedding, backbone.position_embedding),
        (encoder.segment_embedding, backbone.segment_embedding),
        (encoder.norm, backbone.embeddings_layer_norm),
    ):
        ours.set_weights(theirs.get_weights()[: len(ours.weights)])
    for block, theirs in zip(encoder.blocks, backbone.transformer_layers, strict=True):
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
        block.expand.set_weights(theirs._feedforward_intermediate_dense.get_weights())
        block.contract.set_weights(theirs._feedforward_output_dense.get_weights())
        block.norm_2.set_weights(theirs._feedforward_layer_norm.get_weights())
    summary = Summary(name="summary")
    summary.build((None, None, width))
    summary.set_weights(backbone.pooled_dense.get_weights())
    return encoder, summary


def load_bert(preset_or_folder: str | Path = "bert_tiny_en_uncased") -> Published:
    """A BERT with its published weights and its vocabulary, through KerasHub.

    Args:
        preset_or_folder: KerasHub's name of a model (downloaded), or a folder: KerasHub's own
            form, or Hugging Face's (config.json, tokenizer_config.json, vocab.txt and
            model.safetensors).

    Raises:
        ImportError: The extra ``pretrained`` is not installed; the message says how.
        FileNotFoundError: The folder lacks a file.
        ValueError: The weights cannot be read, or do not fit the vocabulary; or KerasHub knows no
            model of this name.
    """
    try:
        import keras_hub
    except ImportError as error:
        raise ImportError(
            "published weights need KerasHub: pip install -e '.[pretrained]'"
        ) from error
    preset = str(preset_or_folder)
    if Path(preset).is_dir():
        _check_folder(Path(preset))
    try:
        backbone = keras_hub.models.BertBackbone.from_preset(preset)
        tokenizer = keras_hub.models.BertTokenizer.from_preset(preset)
    except Exception as error:  # KerasHub, safetensors and h5py raise many kinds
        raise ValueError(
            f"preset_or_folder={preset!r} could not be read as a BERT ({error}): give a name that "
            "KerasHub knows, or a folder with whole files; load a damaged file again"
        ) from error
    pieces = tuple(tokenizer.get_vocabulary())
    if len(pieces) != backbone.vocabulary_size:
        raise ValueError(
            f"{preset!r} has a vocabulary of {len(pieces)} pieces, but its weights are for "
            f"{backbone.vocabulary_size}: take both from the same model"
        )
    encoder, summary = from_keras_hub(backbone)
    return Published(encoder, summary, pieces, tokenizer.lowercase)


def _check_folder(folder: Path) -> None:
    """Refuse a folder that is no model, before KerasHub asks the network for its name."""
    if not (folder / "config.json").exists():
        raise FileNotFoundError(
            f"{folder} has no config.json, so it is no model: give the folder that has it"
        )
    theirs = ("model.safetensors", "vocab.txt", "tokenizer_config.json")
    own = (folder / "model.weights.h5").exists() or list(folder.glob("*.weights.h5"))
    missing = [name for name in theirs if not (folder / name).exists()]
    if missing and not own:
        raise FileNotFoundError(f"{folder} lacks {', '.join(missing)}: put the file there")
