"""GPT: a Transformer decoder that predicts the next token.

The architecture is GPT-2's, and equal to KerasHub's ``GPT2Backbone`` with the same weights: learned
positions, layer normalisation before each part, GELU in its tanh form, and the embedding matrix
used again to score the vocabulary. ``dlbook.models.generation`` writes text with it.

Papers: Radford and others, "Improving language understanding by generative pre-training", 2018, and
"Language models are unsupervised multitask learners", 2019; Vaswani and others, "Attention is all
you need", NeurIPS 2017.
"""

import keras
import numpy as np
from keras import layers, ops

# arguments of GPT for the run on a GPU
FULL_SIZE = {"max_length": 256, "num_layers": 6, "num_heads": 6, "hidden_dim": 384, "dropout": 0.2}

_EPSILON = 1e-5  # GPT-2's, for layer normalisation
_HIDDEN = -1e9  # the score of a token that must not be seen


@keras.saving.register_keras_serializable(package="dlbook")
class CausalSelfAttention(layers.Layer):
    """Every token looks at itself and at the tokens before it.

    One dense layer makes queries, keys and values at once: a single large matrix product is
    faster than three small ones.

    Args:
        num_heads: Number of heads; it must divide the width of the input.
        dropout: Share of the attention weights set to zero in training.
        causal: Whether later tokens are hidden. Without it the layer is an encoder's.
    """

    def __init__(self, num_heads: int, dropout: float = 0.0, causal: bool = True, **kwargs):
        super().__init__(**kwargs)
        self.num_heads, self.dropout, self.causal = num_heads, dropout, causal
        self.drop = layers.Dropout(dropout)

    def build(self, input_shape):
        width = input_shape[-1]
        self.query_key_value = layers.Dense(
            3 * width, kernel_initializer=_normal(), name="query_key_value"
        )
        self.query_key_value.build(input_shape)
        self.project = layers.Dense(width, kernel_initializer=_normal(), name="project")
        self.project.build(input_shape)

    def call(self, x, cache=None, start=0, training=None):
        """Attend.

        Args:
            x: (batch, tokens, width).
            cache: Keys and values of earlier calls, (2, batch, heads, max_length, width / heads).
            start: Position of the first of these tokens, where there is a cache.

        Returns:
            (batch, tokens, width); with a cache, the pair of it and the renewed cache.
        """
        query, key, value = self._split(x)
        if cache is not None:
            new = ops.stack([key, value])
            cache = ops.slice_update(cache, (0, 0, 0, start, 0), new)
            key, value = cache[0], cache[1]
        weights = self.drop(self._weights(query, key, start), training=training)
        mixed = ops.transpose(ops.matmul(weights, value), (0, 2, 1, 3))  # (batch, tokens, heads, d)
        output = self.project(ops.reshape(mixed, ops.shape(x)))
        return output if cache is None else (output, cache)

    def attention_weights(self, x):
        """(batch, heads, query, key): how much each token looks at each other; rows sum to 1."""
        query, key, _ = self._split(x)
        return self._weights(query, key, 0)

    def _split(self, x):
        batch, tokens, width = ops.shape(x)
        heads = (batch, tokens, 3, self.num_heads, width // self.num_heads)
        # three of (batch, heads, tokens, width / heads)
        return ops.unstack(
            ops.transpose(ops.reshape(self.query_key_value(x), heads), (2, 0, 3, 1, 4)), 3
        )

    def _weights(self, query, key, start):
        scores = ops.matmul(query * query.shape[-1] ** -0.5, ops.transpose(key, (0, 1, 3, 2)))
        if not self.causal:
            return ops.softmax(scores)
        queries = start + ops.arange(ops.shape(query)[2])
        visible = ops.arange(ops.shape(key)[2]) <= queries[:, None]  # (query, key)
        return ops.softmax(ops.where(visible, scores, ops.cast(_HIDDEN, scores.dtype)))

    def get_config(self):
        settings = {
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "causal": self.causal,
        }
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable(package="dlbook")
class DecoderBlock(layers.Layer):
    """Attention, then a dense net of one hidden layer, each added to what came in.

    Args:
        num_heads: Heads of the attention.
        dropout: Share of features set to zero in training.
        init_std: Standard deviation of the first weights of the two layers whose output is added.
        causal: Whether later tokens are hidden.
    """

    def __init__(
        self,
        num_heads: int,
        dropout: float = 0.0,
        init_std: float = 0.02,
        causal: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_heads, self.dropout, self.init_std = num_heads, dropout, init_std
        self.causal = causal
        self.norm_1 = layers.LayerNormalization(epsilon=_EPSILON, name="norm_1")
        self.attention = CausalSelfAttention(num_heads, dropout, causal, name="attention")
        self.norm_2 = layers.LayerNormalization(epsilon=_EPSILON, name="norm_2")
        self.drop = layers.Dropout(dropout)

    def build(self, input_shape):
        width = input_shape[-1]
        for layer in (self.norm_1, self.attention, self.norm_2):
            layer.build(input_shape)
        self.expand = layers.Dense(4 * width, kernel_initializer=_normal(), name="expand")
        self.expand.build(input_shape)
        self.contract = layers.Dense(
            width, kernel_initializer=_normal(self.init_std), name="contract"
        )
        self.contract.build((*input_shape[:-1], 4 * width))

    def call(self, x, cache=None, start=0, training=None):
        """As ``CausalSelfAttention.call``."""
        attended = self.attention(self.norm_1(x), cache=cache, start=start, training=training)
        if cache is not None:
            attended, cache = attended
        x = x + self.drop(attended, training=training)
        # the tanh form of GELU, as in GPT-2
        hidden = ops.gelu(self.expand(self.norm_2(x)), approximate=True)
        x = x + self.drop(self.contract(hidden), training=training)
        return x if cache is None else (x, cache)

    def get_config(self):
        settings = {
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "init_std": self.init_std,
            "causal": self.causal,
        }
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable(package="dlbook")
class GPT(keras.Model):
    """Decoder-only Transformer, from tokens to logits of the next token.

    Train it with ``SparseCategoricalCrossentropy(from_logits=True)`` on targets that are the
    inputs moved by one.

    Args:
        vocabulary_size: Number of tokens.
        max_length: Context: the most tokens that the model sees at once.
        num_layers: Number of blocks.
        num_heads: Heads of the attention in each block.
        hidden_dim: Width of the vectors between the blocks; a multiple of ``num_heads``.
        dropout: Share of features set to zero in training.
        causal: Whether later tokens are hidden. A model that sees them cannot write; chapter 14
            shows it.

    Raises:
        ValueError: A size is out of range, or ``num_heads`` does not divide ``hidden_dim``.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        max_length: int = 64,
        num_layers: int = 4,
        num_heads: int = 4,
        hidden_dim: int = 128,
        dropout: float = 0.0,
        causal: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.sizes = {
            "vocabulary_size": vocabulary_size,
            "max_length": max_length,
            "num_layers": num_layers,
            "num_heads": num_heads,
            "hidden_dim": hidden_dim,
        }
        for name, value in self.sizes.items():
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, not {value}")
        if max_length < 2:
            raise ValueError("max_length must be 2 or more: with one token there is no next one")
        if hidden_dim % num_heads:
            raise ValueError(f"num_heads={num_heads} must divide hidden_dim={hidden_dim}")
        self.max_length, self.dropout, self.causal = max_length, dropout, causal
        self.token_embedding = layers.Embedding(
            vocabulary_size, hidden_dim, embeddings_initializer=_normal(), name="tokens"
        )
        self.position_embedding = layers.Embedding(
            max_length, hidden_dim, embeddings_initializer=_normal(), name="positions"
        )
        self.drop = layers.Dropout(dropout)
        # the more is added up, the smaller the pieces: as in GPT-2
        init_std = 0.02 * (2 * num_layers) ** -0.5
        self.blocks = [
            DecoderBlock(num_heads, dropout, init_std, causal, name=f"block_{number}")
            for number in range(num_layers)
        ]
        self.norm = layers.LayerNormalization(epsilon=_EPSILON, name="norm")
        for layer in (self.token_embedding, self.position_embedding):
            layer.build((None, None))
        for layer in (*self.blocks, self.norm):
            layer.build((None, None, hidden_dim))
        self.built = True

    def call(self, tokens, training=None):
        """(batch, tokens) of integers to logits (batch, tokens, vocabulary), float32."""
        x = self.embed(tokens, training=training)
        for block in self.blocks:
            x = block(x, training=training)
        return self._logits(x)

    def embed(self, tokens, start=0, training=None):
        """Sum of the vectors of the tokens and of their positions, (batch, tokens, width)."""
        length = tokens.shape[1]
        if length is not None and length > self.max_length:
            raise ValueError(
                f"tokens: {length} are more than max_length={self.max_length}; cut the text, or "
                "build the model with a larger max_length"
            )
        positions = start + ops.arange(ops.shape(tokens)[1])
        x = self.token_embedding(tokens) + self.position_embedding(positions)
        return self.drop(x, training=training)

    def step(self, tokens, cache, start):
        """Logits of new tokens, with what earlier ones left in the cache.

        Args:
            tokens: (batch, new tokens).
            cache: From ``empty_cache`` or an earlier step.
            start: Position of the first new token.

        Returns:
            Logits (batch, new tokens, vocabulary), and the renewed cache.
        """
        x = self.embed(tokens, start)
        renewed = []
        for number, block in enumerate(self.blocks):
            x, block_cache = block(x, cache=cache[number], start=start)
            renewed.append(block_cache)
        return self._logits(x), ops.stack(renewed)

    def empty_cache(self, batch: int):
        """Zeros (layers, 2, batch, heads, max_length, width / heads): keys and values."""
        heads, width = self.sizes["num_heads"], self.sizes["hidden_dim"]
        shape = (len(self.blocks), 2, batch, heads, self.max_length, width // heads)
        return ops.zeros(shape, dtype=self.compute_dtype)

    def attention_maps(self, tokens) -> np.ndarray:
        """Attention weights (layers, batch, heads, query, key); every row sums to 1."""
        x, maps = self.embed(tokens), []
        for block in self.blocks:
            maps.append(ops.convert_to_numpy(block.attention.attention_weights(block.norm_1(x))))
            x = block(x)
        return np.stack(maps)

    def _logits(self, x):
        matrix = ops.cast(self.token_embedding.embeddings, x.dtype)
        return ops.cast(ops.matmul(self.norm(x), ops.transpose(matrix)), "float32")

    def get_config(self):
        settings = {"dropout": self.dropout, "causal": self.causal}
        return {**super().get_config(), **self.sizes, **settings}


# --- GPT-2's own weights


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


def _normal(std: float = 0.02) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=std)
