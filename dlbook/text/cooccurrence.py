"""Word vectors by counting which words stand near each other."""

from collections.abc import Iterable

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd


def cooccurrence_vectors(
    sequences: Iterable[np.ndarray],
    num_words: int,
    dim: int = 64,
    *,
    window: int = 5,
    first_word: int = 3,
    smoothing: float = 0.75,
    shift: float = 1.0,
    power: float = 0.5,
    iterations: int = 2,
    seed: int = 0,
) -> np.ndarray:
    """Vectors for words from counting which words stand near each other; no labels are used.

    The counts become positive pointwise mutual information: how much more often two words are
    neighbours than chance would have it, as a logarithm, or 0. A singular value decomposition
    makes it short. Words in like company get like vectors. (Levy & Goldberg, "Neural word
    embedding as implicit matrix factorization", NIPS 2014; ``shift`` comes from there. Counts to
    the power of 0.75 (``smoothing``), ``power``, and the weights of neighbours by distance, as
    word2vec draws them: Levy, Goldberg & Dagan, "Improving distributional similarity with lessons
    learned from word embeddings", TACL 3, 2015.)

    Args:
        sequences: encoded texts.
        num_words: all numbers are below this.
        dim: numbers of a vector.
        window: how many words to each side are neighbours.
        first_word: smaller numbers (padding, start, unknown words) are no words.
        smoothing: the chance of a neighbour is proportional to its count to this power.
        shift: the information is taken less the logarithm of this, before the negative is cut off;
            word2vec's number of negative samples has this part.
        power: of the singular values, in the vectors. At 0 every direction counts alike.
        iterations: of the approximate decomposition; more make it more exact.
        seed: seed of the approximate decomposition.

    Returns:
        (num_words, dim), float32, with a standard deviation of 1 over the words. Words that have
        no neighbours, and what is no word, have zeros.

    Raises:
        ValueError: when there are no neighbours, a number is too large, or ``dim`` does not fit.
    """
    if not 1 <= dim < num_words:
        raise ValueError(f"dim must be from 1 to {num_words - 1}, got {dim}")
    # zeros between two texts: the end of one is no neighbour of the beginning of the next
    gap = np.zeros(window, np.int32)
    joined = np.concatenate([gap, *(part for text in sequences for part in (text, gap))])
    if joined.max() >= num_words:
        raise ValueError(f"sequences has the number {joined.max()}, num_words is {num_words}")
    counts = sparse.csr_matrix((num_words, num_words), dtype=np.float32)
    for distance in range(1, window + 1):
        left, right = joined[:-distance], joined[distance:]
        words = (left >= first_word) & (right >= first_word)
        weight = np.full(np.count_nonzero(words), 1 - (distance - 1) / window, np.float32)
        counts += sparse.csr_matrix((weight, (left[words], right[words])), shape=counts.shape)
    counts = (counts + counts.T).tocoo()
    if not counts.nnz:
        raise ValueError("sequences has no two words beside each other")
    total = np.asarray(counts.sum(axis=1)).ravel()  # (num_words,)
    by_chance = np.maximum(total, 1e-9) ** smoothing
    by_chance /= by_chance.sum()
    information = np.log(counts.data / (total[counts.row] * by_chance[counts.col])) - np.log(shift)
    table = sparse.csr_matrix(
        (np.maximum(information, 0).astype(np.float32), (counts.row, counts.col)), counts.shape
    )
    left, strength, _ = randomized_svd(table, dim, n_iter=iterations, random_state=seed)
    vectors = left * strength**power
    return (vectors / (vectors[first_word:].std() or 1)).astype(np.float32)
