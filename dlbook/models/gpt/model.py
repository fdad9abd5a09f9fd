"""GPT: a Transformer decoder that predicts the next token.

The architecture is GPT-2's, and equal to KerasHub's ``GPT2Backbone`` with the same weights: learned
positions, layer normalisation before each part, GELU in its tanh form, and the embedding matrix
used again to score the vocabulary.

Papers: Radford and others, "Improving language understanding by generative pre-training", 2018, and
"Language models are unsupervised multitask learners", 2019.
"""

import keras
import numpy as np
from keras import layers, ops

from dlbook.layers.attention import SelfAttention, causal_mask

_EPSILON = 1e-5  # GPT-2's, for layer normalisation


@keras.saving.register_keras_serializable(package="dlbook")
class DecoderBlock(layers.Layer):
    """Attention, then a dense net of one hidden layer, each added to what came in.

    Args:
        num_heads: Heads of the attention.
        dropout: Share of features set to zero in training.
        output_std: Standard deviation of the first weights of the layer that ends the dense net.
    """

    def __init__(self, num_heads: int, dropout: float = 0.0, output_std: float = 0.02, **kwargs):
        super().__init__(**kwargs)
        self.num_heads, self.dropout, self.output_std = num_heads, dropout, output_std
        self.norm_1 = layers.LayerNormalization(epsilon=_EPSILON, name="norm_1")
        self.attention = SelfAttention(num_heads, dropout, name="attention")
        self.norm_2 = layers.LayerNormalization(epsilon=_EPSILON, name="norm_2")
        self.drop = layers.Dropout(dropout)

    def build(self, input_shape):
        width = input_shape[-1]
        for layer in (self.norm_1, self.attention, self.norm_2):
            layer.build(input_shape)
        self.expand = layers.Dense(4 * width, kernel_initializer=_normal(), name="expand")
        self.expand.build(input_shape)
        self.contract = layers.Dense(
            width, kernel_initializer=_normal(self.output_std), name="contract"
        )
        self.contract.build((*input_shape[:-1], 4 * width))

    def call(self, x, attention_mask=None, cache=None, start=0):
        """As ``SelfAttention.call``."""
        attended = self.attention(self.norm_1(x), attention_mask, cache=cache, start=start)
        if cache is not None:
            attended, cache = attended
        x = x + self.drop(attended)
        # the tanh form of GELU, as in GPT-2
        hidden = ops.gelu(self.expand(self.norm_2(x)), approximate=True)
        x = x + self.drop(self.contract(hidden))
        return x if cache is None else (x, cache)

    def get_config(self):
        settings = {
            "num_heads": self.num_heads,
            "dropout": self.dropout,
            "output_std": self.output_std,
        }
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable(package="dlbook")
class GPT(keras.Model):
    """Decoder-only Transformer, from tokens to logits of the next token.

    Train it with ``SparseCategoricalCrossentropy(from_logits=True)`` on targets that are the
    inputs moved by one.

    ``get_weights()`` lists the embeddings of tokens and of positions; for each block scale and
    shift of the first normalisation, the four arrays of ``SelfAttention``, scale and shift of the
    second normalisation, kernels and biases of the two dense layers; at last scale and shift of the
    normalisation at the end.

    Args:
        vocabulary_size: Number of tokens.
        max_length: Context: the most tokens that the model sees at once.
        num_layers: Number of blocks.
        num_heads: Heads of the attention in each block.
        hidden_dim: Width of the vectors between the blocks; a multiple of ``num_heads``.
        dropout: Share of features set to zero in training.

    Raises:
        ValueError: ``num_heads`` does not divide ``hidden_dim``.
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
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size, self.max_length = vocabulary_size, max_length
        self.num_heads, self.hidden_dim, self.dropout = num_heads, hidden_dim, dropout
        self.token_embedding = layers.Embedding(
            vocabulary_size, hidden_dim, embeddings_initializer=_normal(), name="tokens"
        )
        self.position_embedding = layers.Embedding(
            max_length, hidden_dim, embeddings_initializer=_normal(), name="positions"
        )
        self.drop = layers.Dropout(dropout)
        # the more is added up, the smaller the pieces: as in GPT-2
        output_std = 0.02 * (2 * num_layers) ** -0.5
        self.blocks = [
            DecoderBlock(num_heads, dropout, output_std, name=f"block_{number}")
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
        x, length = self.embed(tokens), ops.shape(tokens)[1]
        mask = self.attention_mask(length, length)
        for block in self.blocks:
            x = block(x, mask)  # Keras hands ``training`` on to every layer inside
        return self._logits(x)

    def attention_mask(self, num_queries: int, num_keys: int, start: int = 0):
        """Who may look at whom: see ``causal_mask``. A subclass may answer otherwise."""
        return causal_mask(num_queries, num_keys, start)

    def embed(self, tokens, start=0):
        """Sum of the vectors of the tokens and of their positions, (batch, tokens, width)."""
        length = tokens.shape[1]
        if length is not None and length > self.max_length:
            raise ValueError(
                f"tokens: {length} are more than max_length={self.max_length}; cut the text, or "
                "build the model with a larger max_length"
            )
        positions = start + ops.arange(ops.shape(tokens)[1])
        return self.drop(self.token_embedding(tokens) + self.position_embedding(positions))

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
        mask = self.attention_mask(ops.shape(tokens)[1], self.max_length, start)
        renewed = []
        for number, block in enumerate(self.blocks):
            x, block_cache = block(x, mask, cache=cache[number], start=start)
            renewed.append(block_cache)
        return self._logits(x), ops.stack(renewed)

    def empty_cache(self, batch: int):
        """Zeros (layers, 2, batch, heads, max_length, key_dim): keys and values."""
        key_dim = self.hidden_dim // self.num_heads
        shape = (len(self.blocks), 2, batch, self.num_heads, self.max_length, key_dim)
        return ops.zeros(shape, dtype=self.compute_dtype)

    def attention_maps(self, tokens) -> np.ndarray:
        """Attention weights (layers, batch, heads, query, key); every row sums to 1."""
        x, length, maps = self.embed(tokens), ops.shape(tokens)[1], []
        mask = self.attention_mask(length, length)
        for block in self.blocks:
            weights = block.attention.attention_weights(block.norm_1(x), mask)
            maps.append(ops.convert_to_numpy(weights))
            x = block(x, mask)
        return np.stack(maps)

    def _logits(self, x):
        matrix = ops.cast(self.token_embedding.embeddings, x.dtype)
        return ops.cast(ops.matmul(self.norm(x), ops.transpose(matrix)), "float32")

    def get_config(self):
        settings = {
            "vocabulary_size": self.vocabulary_size,
            "max_length": self.max_length,
            "num_layers": len(self.blocks),
            "num_heads": self.num_heads,
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout,
        }
        return {**super().get_config(), **settings}


def _normal(std: float = 0.02) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=std)
