"""Word vectors by predicting neighbours: skip-gram and CBOW with negative sampling.

Mikolov, Chen, Corrado & Dean, "Efficient estimation of word representations in vector space", 2013;
Mikolov, Sutskever, Chen, Corrado & Dean, "Distributed representations of words and phrases and
their compositionality", NIPS 2013. Texts are cut into stretches whose words share the noise words,
so that all scores of a stretch are one matrix product: Ji, Satish, Li & Dubey, "Parallelizing
word2vec in shared and distributed memory", 2016.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any  # of values, of whatever backend Keras has


def keep_probability(counts: np.ndarray, threshold: float | None) -> np.ndarray:
    """With which probability subsampling keeps one occurrence of each word.

    Args:
        counts: (words,): how often each word occurs.
        threshold: t of sqrt(t / f) + t / f, with f the word's share of the corpus. None keeps all.

    Returns:
        (words,), at most 1; 1 for a word that does not occur.
    """
    counts = np.asarray(counts)
    if threshold is None:
        return np.ones(len(counts))
    share = counts / max(counts.sum(), 1)
    ratio = threshold / np.maximum(share, 1e-12)
    return np.minimum(np.sqrt(ratio) + ratio, 1.0)


def noise_table(counts: np.ndarray, power: float = 0.75, size: int = 1_000_000) -> np.ndarray:
    """Words to draw noise from: each stands in the table as often as its chance.

    Args:
        counts: (words,): how often each word occurs.
        power: the chance is proportional to the count to this power.
        size: about how many entries the table has.

    Returns:
        Numbers of words, int32. A word that occurs stands there at least once.

    Raises:
        ValueError: no word occurs.
    """
    chance = np.where(np.asarray(counts) > 0, np.maximum(counts, 1.0) ** power, 0.0)
    if not chance.any():
        raise ValueError("counts has no word: the corpus is empty")
    times = np.ceil(size * chance / chance.sum()).astype(int)
    return np.repeat(np.arange(len(times), dtype=np.int32), times)


def reaches(
    place: np.ndarray, begin: np.ndarray, end: np.ndarray, windows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many neighbours each word has on its left and on its right.

    Args:
        place: (words,): place of each word in the corpus.
        begin: (words,): the first place of its text.
        end: (words,): the place after the last one of its text.
        windows: (words,): the largest distance of a neighbour.
    """
    return np.minimum(windows, place - begin), np.minimum(windows, end - 1 - place)


def pair_mask(left: Tensor, right: Tensor, window: int) -> Tensor:
    """Which words of a stretch are neighbours of which.

    Args:
        left: (rows, length): neighbours on the left of each word.
        right: (rows, length): on its right.
        window: words that stand in a stretch before its first and after its last word.

    Returns:
        (rows, length, length + 2 * window), float32: 1 where the second word is a neighbour of the
        first, so a band beside the diagonal.
    """
    length = left.shape[1]
    offset = np.arange(length + 2 * window)[None] - window - np.arange(length)[:, None]
    offset = ops.convert_to_tensor(offset.astype("int32"))
    near = ops.logical_and(offset >= -left[:, :, None], offset <= right[:, :, None])
    return ops.cast(ops.logical_and(near, offset != 0), "float32")


class Stretches:
    """A corpus cut into stretches of words, anew for every pass.

    A pass drops frequent words at random, draws a window for each word, and lines the rest up in
    rows of ``length`` words with ``window`` more on each side. A pair of neighbours never reaches
    from one text into the next. All of it is array arithmetic: no loop over words.

    Args:
        texts: encoded texts; smaller numbers than ``first_word`` (padding, unknown) are left out.
        num_words: all numbers are below this.
        window: the largest distance of neighbours. Each word draws its own from 1 to this.
        length: words of a stretch.
        num_noise: noise words that a stretch shares.
        threshold: of subsampling; None keeps every word.
        batch_size: stretches of a step.
        first_word: the smallest number that is a word.
        piece: words that are cut at once.
        seed: of everything that is drawn.

    Raises:
        ValueError: the texts have no word, or a number is too large.
    """

    def __init__(
        self,
        texts: Sequence[np.ndarray],
        num_words: int,
        *,
        window: int = 5,
        length: int = 32,
        num_noise: int = 32,
        threshold: float | None = 1e-4,
        batch_size: int = 32,
        first_word: int = 2,
        piece: int = 1_500_000,
        seed: int = 0,
    ):
        sizes = np.array([len(text) for text in texts], int)
        numbers = np.concatenate([np.zeros(0, np.int32), *texts]).astype(np.int32)
        known = numbers >= first_word
        owner = np.repeat(np.arange(len(sizes)), sizes)[known]
        self.numbers = numbers[known]
        if not self.numbers.size:
            raise ValueError("texts has no word: the corpus is empty, or no word is known")
        if self.numbers.max() >= num_words:
            raise ValueError(f"texts has the number {self.numbers.max()}, {num_words=}")
        self.ends = np.cumsum(np.bincount(owner, minlength=len(sizes)))
        self.window, self.length, self.num_noise = window, length, num_noise
        self.batch_size, self.piece, self.seed = batch_size, piece, seed
        counts = np.bincount(self.numbers, minlength=num_words)
        self.keep = keep_probability(counts, threshold).astype(np.float32)
        self.table = noise_table(counts)
        self.passes = 0

    def __len__(self) -> int:
        """Words of the corpus, those included that a pass may drop."""
        return len(self.numbers)

    def steps(self) -> int:
        """About how many steps a pass has."""
        kept = self.keep[self.numbers].sum(dtype=float)
        return max(1, round(kept / (self.length * self.batch_size)))

    def cut(self, numbers: np.ndarray, ends: np.ndarray, rng: np.random.Generator) -> tuple:
        """One pass over some texts.

        Args:
            numbers: (words,): the texts, one after another.
            ends: (texts,): the place after the last word of each.
            rng: draws what is dropped, the windows, the noise and the order.

        Returns:
            Stretches (rows, length + 2 * window), neighbours on the left and on the right of each
            word (rows, length), noise words (rows, num_noise). All int32, rows in random order.
        """
        kept = rng.random(len(numbers), dtype=np.float32) < self.keep[numbers]
        ends = np.append(0, np.cumsum(kept))[ends]  # where the texts end after dropping
        numbers = numbers[kept]
        sizes = np.diff(ends, prepend=0)
        begin, end = np.repeat(ends - sizes, sizes), np.repeat(ends, sizes)
        windows = rng.integers(1, self.window + 1, size=len(numbers))
        sides = reaches(np.arange(len(numbers)), begin, end, windows)
        rows = -(-len(numbers) // self.length)
        spare = rows * self.length - len(numbers)
        left, right = (
            np.pad(side, (0, spare)).reshape(rows, self.length).astype(np.int32) for side in sides
        )
        around = np.pad(numbers, (self.window, self.window + spare))
        places = self.length * np.arange(rows)[:, None] + np.arange(self.length + 2 * self.window)
        noise = self.table[rng.integers(len(self.table), size=(rows, self.num_noise))]
        order = rng.permutation(rows)
        return around[places][order], left[order], right[order], noise[order]

    def batches(self) -> Iterator[tuple]:
        """One pass: tuples of arrays (steps, batch_size, ...). The next call is the next pass."""
        self.passes += 1
        rng = np.random.default_rng([self.seed, self.passes])
        pieces = max(1, round(len(self.numbers) / self.piece))
        borders = [0, *self.ends[np.linspace(0, len(self.ends), pieces + 1).astype(int)[1:] - 1]]
        for piece in rng.permutation(pieces):
            low, high = borders[piece], borders[piece + 1]
            ends = self.ends[(self.ends > low) & (self.ends <= high)] - low
            arrays = self.cut(self.numbers[low:high], ends, rng)
            steps = len(arrays[0]) // self.batch_size
            if steps:
                shape = (steps, self.batch_size, -1)
                yield tuple(a[: steps * self.batch_size].reshape(shape) for a in arrays)

    def count_pairs(self, few: int) -> tuple[np.ndarray, np.ndarray]:
        """How often words are neighbours of each other in one pass. The next call is the next pass.

        Args:
            few: only words whose numbers are below this are counted.

        Returns:
            (few, few): how often the second word is a neighbour of the first; and (few,): how many
            neighbours each word has, those of larger numbers included.

        Raises:
            ValueError: ``few`` is not positive.
        """
        if few < 1:
            raise ValueError(f"few must be 1 or more, got {few}")
        together, neighbours = np.zeros((few, few)), np.zeros(few)
        end = self.window + self.length
        for around, left, right, _ in self.batches():
            centre = around[..., self.window : end].astype(int)
            for step in range(-self.window, self.window + 1):
                other = around[..., self.window + step : end + step]
                near = (right >= step if step > 0 else left >= -step) & (centre < few) & (step != 0)
                neighbours += np.bincount(centre[near], minlength=few)
                near &= other < few
                places = few * centre[near] + other[near]
                together += np.bincount(places, minlength=few**2).reshape(few, few)
        return together, neighbours

    def dataset(self) -> Any:
        """A ``tf.data.Dataset`` of the steps of one pass. Every time it is read it cuts anew."""
        import tensorflow as tf

        widths = (self.length + 2 * self.window, self.length, self.length, self.num_noise)
        signature = tuple(tf.TensorSpec((None, self.batch_size, w), tf.int32) for w in widths)
        pieces = tf.data.Dataset.from_generator(self.batches, output_signature=signature)
        return pieces.prefetch(1).flat_map(
            lambda *arrays: tf.data.Dataset.from_tensor_slices(arrays)
        )


@ops.custom_gradient
def logistic_loss(scores, labels, weights):
    """The cross-entropy of yes and no, added up: -log σ(s) where the label is 1, else -log σ(-s).

    The gradient, weight · (σ(s) - label), is given by hand: it costs no further exponential.

    Args:
        scores: any shape.
        labels: the same shape, 0 or 1.
        weights: the same shape.

    Returns:
        The weighted sum, a scalar.
    """
    chance = ops.sigmoid(scores)
    right = ops.where(labels > 0, chance, 1 - chance)
    loss = -ops.sum(weights * ops.log(ops.maximum(right, 1e-7)))

    def gradient(*upstream):
        return upstream[0] * weights * (chance - labels), None, None

    return loss, gradient


class _NegativeSampling(keras.Model):
    """Two tables of vectors, trained to tell neighbours from noise words.

    Args:
        num_words: Numbers of the vocabulary; 0 is padding.
        dim: Numbers of a vector.
        window: As the stretches have it.
        num_negatives: Noise words that count for each neighbour (k of the papers).
        seed: Of the first vectors.
    """

    def __init__(
        self,
        num_words: int,
        dim: int = 100,
        *,
        window: int = 5,
        num_negatives: float = 5.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_words, self.dim, self.window = num_words, dim, window
        self.num_negatives, self.seed = num_negatives, seed
        small = keras.initializers.RandomUniform(-0.5 / dim, 0.5 / dim, seed=seed)
        self.words = keras.layers.Embedding(num_words, dim, small, name="words")
        self.contexts = keras.layers.Embedding(num_words, dim, "zeros", name="contexts")
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.build()

    def build(self, input_shape=None):
        for table in (self.words, self.contexts):
            if not table.built:
                table.build()
        self.built = True

    @property
    def metrics(self):
        return [self.mean_loss]

    @property
    def vectors(self) -> np.ndarray:
        """(num_words, dim): the vector of each word."""
        return np.asarray(ops.convert_to_numpy(self.words.embeddings))

    def call(self, batch):
        """The loss of a batch of stretches, and how many predictions were made.

        Args:
            batch: What ``Stretches`` gives for a step: stretches, neighbours to the left and to
                the right, noise words.

        Returns:
            The sum of the losses, and the number of predictions.
        """
        raise NotImplementedError

    def train_step(self, batch):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss, count = self(batch)
        weights = self.trainable_variables
        # slices: rows of the tables that the batch does not have stay untouched
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self.mean_loss.update_state(loss / ops.maximum(count, 1.0))
        return {"loss": self.mean_loss.result()}

    def get_config(self):
        return {
            **super().get_config(),
            "num_words": self.num_words,
            "dim": self.dim,
            "window": self.window,
            "num_negatives": self.num_negatives,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable(package="dlbook")
class SkipGram(_NegativeSampling):
    """Each word predicts every neighbour."""

    def call(self, batch):
        stretch, left, right, noise = batch
        pairs = pair_mask(left, right, self.window)  # (rows, length, length + 2 * window)
        centre = self.words(stretch[:, self.window : -self.window])
        others = self.contexts(ops.concatenate([stretch, noise], axis=1))
        scores = ops.matmul(centre, ops.transpose(others, (0, 2, 1)))
        share = self.num_negatives / noise.shape[1] * ops.sum(pairs, axis=-1, keepdims=True)
        weights = ops.concatenate([pairs, ops.repeat(share, noise.shape[1], axis=-1)], axis=-1)
        labels = ops.pad(pairs, [(0, 0), (0, 0), (0, noise.shape[1])])
        return logistic_loss(scores, labels, weights), ops.sum(pairs)


@keras.saving.register_keras_serializable(package="dlbook")
class ContinuousBagOfWords(_NegativeSampling):
    """The mean of a word's neighbours predicts the word.

    The gradient is that of the mean, each neighbour gets its share of it: İrsoy, Benton & Stratos,
    "Corrected CBOW performs as well as skip-gram", 2021. (The original program gives the whole
    gradient to every neighbour.)
    """

    def call(self, batch):
        stretch, left, right, noise = batch
        pairs = pair_mask(left, right, self.window)  # (rows, length, length + 2 * window)
        count = ops.sum(pairs, axis=-1, keepdims=True)
        mean = ops.matmul(pairs / ops.maximum(count, 1.0), self.words(stretch))
        true = self.contexts(stretch[:, self.window : -self.window])
        hits = ops.sum(mean * true, axis=-1, keepdims=True)  # (rows, length, 1)
        misses = ops.matmul(mean, ops.transpose(self.contexts(noise), (0, 2, 1)))
        some = ops.cast(count > 0, "float32")  # a word without neighbours predicts nothing
        share = ops.repeat(some, noise.shape[1], axis=-1) * (self.num_negatives / noise.shape[1])
        scores, weights = (
            ops.concatenate(both, axis=-1) for both in ((hits, misses), (some, share))
        )
        labels = ops.pad(ops.ones_like(some), [(0, 0), (0, 0), (0, noise.shape[1])])
        return logistic_loss(scores, labels, weights), ops.sum(some)


def build_word2vec(kind: str = "cbow", num_words: int = 20_002, dim: int = 100, **settings: Any):
    """A model that makes word vectors.

    Args:
        kind: "skip-gram" or "cbow".
        num_words: Numbers of the vocabulary; 0 is padding.
        dim: Numbers of a vector.
        settings: Further arguments of the model: window, num_negatives, seed.

    Returns:
        A model to be compiled with SGD and trained on ``Stretches(...).dataset()``.

    Raises:
        ValueError: ``kind`` is neither.
    """
    kinds = {"skip-gram": SkipGram, "cbow": ContinuousBagOfWords}
    if kind not in kinds:
        raise ValueError(f"kind must be one of {', '.join(kinds)}, not {kind!r}")
    return kinds[kind](num_words, dim, **settings)


def nearest(vectors: np.ndarray, query: np.ndarray, count: int = 8, leave_out=()) -> np.ndarray:
    """The words whose vectors point most nearly in a query's direction.

    Args:
        vectors: (words, dim).
        query: (dim,).
        count: how many.
        leave_out: numbers of words that do not count.

    Returns:
        Their numbers, the nearest first. A vector of zeros is near nothing.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    cosines = vectors @ query / np.maximum(lengths * np.linalg.norm(query), 1e-12)
    cosines[lengths == 0] = -2
    cosines[list(leave_out)] = -3
    return np.argsort(-cosines, kind="stable")[:count]
