"""The rival: LSTMs with attention, as translation was done before the Transformer.

A bidirectional LSTM reads the source, a second LSTM writes, and each state of the writer looks at
all states of the reader.

Papers: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to align and
translate", ICLR 2015; Luong, Pham and Manning, "Effective approaches to attention-based neural
machine translation", EMNLP 2015 (the form used here: attention after the LSTM, no input feeding).
"""

import keras
from keras import layers, ops

from dlbook.layers.attention import attend
from dlbook.models.translation.model import PADDING


@keras.saving.register_keras_serializable(package="dlbook")
class RecurrentTranslator(keras.Model):
    """LSTM encoder and decoder with attention; called and searched as ``Translator`` is.

    Args:
        vocabulary_size: Number of tokens, both languages and the signs for start and end together.
        num_units: Units of the decoder's LSTM, and of both directions of the encoder's together;
            even.
        hidden_dim: Width of the vectors of tokens.
        dropout: Share of features set to zero in training.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        num_units: int = 256,
        hidden_dim: int = 128,
        dropout: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if num_units % 2:
            raise ValueError(f"num_units={num_units} must be even: the encoder has two directions")
        self.vocabulary_size, self.num_units = vocabulary_size, num_units
        self.hidden_dim, self.dropout = hidden_dim, dropout
        self.embedding = layers.Embedding(
            vocabulary_size,
            hidden_dim,
            embeddings_initializer=keras.initializers.RandomNormal(stddev=hidden_dim**-0.5),
            name="embedding",
        )
        self.drop = layers.Dropout(dropout)
        self.encoder = layers.Bidirectional(
            layers.LSTM(num_units // 2, return_sequences=True, return_state=True), name="encoder"
        )
        self.decoder = layers.LSTM(
            num_units, return_sequences=True, return_state=True, name="decoder"
        )
        self.query = layers.Dense(num_units, use_bias=False, name="query")
        self.combine = layers.Dense(hidden_dim, activation="tanh", name="combine")
        self.norm = layers.LayerNormalization(epsilon=1e-5, name="norm")
        self.embedding.build((None, None))
        for layer in (self.encoder, self.decoder):
            layer.build((None, None, hidden_dim))
        self.query.build((None, None, num_units))
        self.combine.build((None, None, 2 * num_units))
        self.norm.build((None, None, hidden_dim))
        self.built = True

    def call(self, inputs, training=None):
        """As ``Translator.call``."""
        source, target = inputs
        memory = self.encode(source)
        states, *_ = self.decoder(self.embed(target), initial_state=list(memory[2:]))
        return self._logits(states, memory)

    def encode(self, source):
        """The mask (batch, source), the states (batch, source, units), and the last h and c."""
        mask = source != PADDING
        states, *last = self.encoder(self.embed(source), mask=mask)
        h, c = (ops.concatenate(last[n::2], axis=-1) for n in (0, 1))
        return mask, states, h, c

    def step(self, tokens, memory, cache, position):
        """As ``Translator.step``; the cache is the state of the LSTM."""
        states, h, c = self.decoder(self.embed(tokens[:, None]), initial_state=list(cache))
        return self._logits(states, memory)[:, 0], (h, c)

    def empty_cache(self, memory, length: int):
        """The state that the decoder begins with; ``length`` does not matter."""
        return tuple(memory[2:])

    def select(self, cache, rows):
        """As ``Translator.select``."""
        return tuple(ops.take(part, rows, axis=0) for part in cache)

    def repeat(self, memory, times: int):
        """As ``Translator.repeat``."""
        return tuple(ops.repeat(part, times, axis=0) for part in memory)

    def embed(self, tokens):
        """Vectors of the tokens, (batch, tokens, width)."""
        return self.drop(self.embedding(tokens) * self.hidden_dim**0.5)

    def _logits(self, states, memory):
        mask, keys = memory[0], memory[1]
        seen, _ = attend(self.query(states), keys, keys, mask[:, None, :])
        x = self.norm(self.drop(self.combine(ops.concatenate([states, seen], axis=-1))))
        matrix = ops.cast(self.embedding.embeddings, x.dtype)
        return ops.cast(ops.matmul(x, ops.transpose(matrix)), "float32")

    def get_config(self):
        settings = {
            "vocabulary_size": self.vocabulary_size,
            "num_units": self.num_units,
            "hidden_dim": self.hidden_dim,
            "dropout": self.dropout,
        }
        return {**super().get_config(), **settings}
