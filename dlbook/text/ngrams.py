"""Runs of neighbouring pieces, and numbers for them without a vocabulary: hashing."""

import functools
import zlib
from collections.abc import Sequence

import numpy as np

_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, with scattered bits (Knuth, vol. 3, §6.4)


@functools.lru_cache(maxsize=1_000_000)
def _code(piece: str) -> int:
    return zlib.crc32(piece.encode("utf-8", "surrogatepass"))


def hashed_ngrams(
    pieces: Sequence[str], num_buckets: int, *, shortest: int = 1, longest: int = 2
) -> np.ndarray:
    """The set of a text's n-grams as numbers of buckets, without a vocabulary.

    Each n-gram goes into a bucket that is computed from its pieces, the same one in every process.
    Two n-grams may share a bucket. (Weinberger and others, "Feature hashing for large scale
    multitask learning", ICML 2009.)

    Args:
        pieces: the pieces of a text: a list of words, or a string, whose pieces are characters.
        num_buckets: a power of two. Bucket 0 is left for padding.
        shortest: fewest neighbours that make an n-gram: 1 for single pieces.
        longest: most neighbours.

    Returns:
        (different buckets,), int32, increasing, from 1 to ``num_buckets - 1``. Nothing of order or
        number is kept but what an n-gram holds.

    Raises:
        ValueError: when ``num_buckets`` is no power of two from 2 on, or the lengths do not fit.
    """
    bits = num_buckets.bit_length() - 1
    if num_buckets < 2 or num_buckets != 1 << bits:
        raise ValueError(f"num_buckets must be a power of two from 2 on, got {num_buckets}")
    if not 1 <= shortest <= longest:
        raise ValueError(f"1 <= shortest <= longest must hold, got {shortest} and {longest}")
    if isinstance(pieces, str):
        codes = np.frombuffer(pieces.encode("utf-32-le", "surrogatepass"), np.uint32)
        codes = codes.astype(np.uint64)
    else:
        codes = np.fromiter((_code(piece) for piece in pieces), np.uint64, len(pieces))
    found, running = [], np.zeros(len(codes) + 1, np.uint64)
    for length in range(1, longest + 1):
        # of all runs of this length: the code of one piece less, mixed with the next piece
        running = (running[: len(codes) - length + 1] + np.uint64(1)) * _FACTOR
        running = (running ^ (running >> np.uint64(29))) + codes[length - 1 :]
        if length >= shortest:
            found.append((running * _FACTOR) >> np.uint64(64 - bits))
    numbers = np.unique(np.concatenate(found)).astype(np.int32)
    return np.unique(np.maximum(numbers, 1))
