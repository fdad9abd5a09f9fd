"""A stand-in for Multi30k: captions put together by a grammar."""

from typing import Any

import numpy as np

LICENCE = "made by dlbook; no terms"
CITATION = "the word lists in dlbook/data/stand_ins/multi30k.py"
NOTE = "The captions were put together from some thirty words by a grammar."

_WHO = (("A man", "Un homme"), ("A woman", "Une femme"), ("A child", "Un enfant"))
_DOES = (("is sitting", "est assis"), ("runs", "court"), ("sleeps", "dort"), ("plays", "joue"))
_WHERE = (
    ("in the park", "dans le parc"),
    ("on the beach", "sur la plage"),
    ("in front of a house", "devant une maison"),
    ("in the snow", "dans la neige"),
)
_WITH = (("", ""), (" with a dog", " avec un chien"), (" with a red ball", " avec un ballon rouge"))
_SIZES, _SEED = {"train": 400, "validation": 40, "test": 40}, 20240513


def make() -> dict[str, Any]:
    """Puts the captions together, the same ones in every process.

    Returns:
        The fields of a ``SplitPairs``.
    """
    rng = np.random.default_rng(_SEED)
    return {part: tuple(_pair(rng) for _ in range(size)) for part, size in _SIZES.items()}


def _pair(rng: np.random.Generator) -> tuple[str, str]:
    who, does, where, having = (
        some[int(rng.integers(len(some)))] for some in (_WHO, _DOES, _WHERE, _WITH)
    )
    english, french = (f"{who[n]} {does[n]} {where[n]}{having[n]}." for n in (0, 1))
    return english, french
