"""Texts as bags of pieces: one weight for each piece, summed over a text.

The weights of naive Bayes as factors: Wang & Manning, "Baselines and bigrams: simple, good
sentiment and topic classification", ACL 2012. The sum in the place of a table with a column for
each piece: Joulin, Grave, Bojanowski & Mikolov, "Bag of tricks for efficient text classification",
EACL 2017.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="dlbook")
class BagOfPieces(layers.Layer):
    """A linear model of a bag of pieces that never writes the bag down as a row of zeros and ones.

    The output is a bias plus the sum, over a text's pieces j, of w_j r_j. The weight w_j is
    learnt, the ratio r_j is given.

    Args:
        num_pieces: Numbers of the encoding, or buckets; 0 is padding.
        start: What every weight starts from.
    """

    def __init__(self, num_pieces: int, *, start: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.num_pieces, self.start = num_pieces, start

    def build(self, input_shape):
        size, constant = (self.num_pieces,), keras.initializers.Constant(self.start)
        self.weight = self.add_weight(shape=size, initializer=constant, name="weight")
        self.ratio = self.add_weight(shape=size, initializer="ones", trainable=False, name="ratio")
        self.bias = self.add_weight(shape=(), initializer="zeros", name="bias")

    def call(self, pieces):
        """Add up.

        Args:
            pieces: (batch, pieces), whole numbers; 0 where a text has no more.

        Returns:
            (batch, 1): the bias alone for a text without a piece.
        """
        products = ops.take(self.weight, pieces) * ops.take(self.ratio, pieces)
        mask = ops.not_equal(pieces, 0)  # (batch, pieces): false for padding
        # a sum over many pieces needs more than 16 bits
        products = ops.cast(products, keras.backend.result_type(products.dtype, "float32"))
        total = ops.sum(ops.where(mask, products, 0.0), axis=1, keepdims=True)
        return ops.cast(total, self.compute_dtype) + self.bias

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 1)

    def get_config(self):
        return {**super().get_config(), "num_pieces": self.num_pieces, "start": self.start}


def build_bag_classifier(
    num_pieces: int, *, ratio: np.ndarray | None = None, start: float = 0.0
) -> keras.Model:
    """A linear classifier of bags of pieces.

    Args:
        num_pieces: Numbers of the encoding, or buckets; 0 is padding.
        ratio: (num_pieces,): what each weight is multiplied by, as ``log_count_ratio`` gives it.
            None: 1 for every piece.
        start: What every weight starts from.

    Returns:
        A model from numbers (batch, pieces), 0 where a text has no more, to logits (batch, 1):
        above 0 for class 1.

    Raises:
        ValueError: ``ratio`` does not have one number for each piece.
    """
    if ratio is not None and np.shape(ratio) != (num_pieces,):
        raise ValueError(f"ratio must be ({num_pieces},), not {np.shape(ratio)}")
    pieces = keras.Input((None,), dtype="int32", name="pieces")
    bag = BagOfPieces(num_pieces, start=start, name="bag")
    model = keras.Model(pieces, bag(pieces), name="bag_classifier")
    if ratio is not None:
        bag.ratio.assign(ratio)
    return model


def log_count_ratio(
    bags: Sequence[np.ndarray], labels: np.ndarray, num_pieces: int, *, smoothing: float = 1.0
) -> np.ndarray:
    """How much more often a piece occurs in texts of class 1 than in those of class 0.

    Args:
        bags: the numbers of each text, every one once.
        labels: (texts,): 0 or 1.
        num_pieces: all numbers are below this.
        smoothing: texts of each class that every piece is taken to occur in besides.

    Returns:
        (num_pieces,), float32: the logarithm of the ratio of the two shares, which is the weight
        that naive Bayes gives the piece; 0 for number 0, padding.

    Raises:
        ValueError: there is not one label for each text, or one class has no text.
    """
    labels = np.asarray(labels)
    if len(labels) != len(bags):
        raise ValueError(f"labels has {len(labels)} entries for {len(bags)} texts")
    logarithms = []
    for kind in (1, 0):
        rows = np.flatnonzero(labels == kind)
        if not len(rows):
            raise ValueError(f"no text is of class {kind}")
        joined = np.concatenate([bags[row] for row in rows])
        counts = smoothing + np.bincount(joined, minlength=num_pieces)[1:]
        logarithms.append(np.log(counts / counts.sum()))
    return np.concatenate([[0.0], logarithms[0] - logarithms[1]]).astype(np.float32)
