"""Beam search with and without a cache: ``dlbook.models.translation.search``.

Both sides write as many tokens for the same sentences with an untrained model, in a compiled loop.
Without the cache the whole model is computed again for each new token, encoder included. The two
texts must be equal.
"""

import numpy as np
import timing

from dlbook.models import translation
from dlbook.models.translation import search

import keras  # isort: skip

PIECES = 3_002


def sides(sentences: int, length: int) -> tuple[timing.Side, timing.Side]:
    """Rounds with and without the cache; milliseconds per token of all sentences.

    Args:
        sentences: Sentences at once.
        length: Tokens that are written of each.

    Returns:
        The side with the cache and the one without.

    Raises:
        ValueError: The two texts differ.
    """
    keras.utils.set_random_seed(0)
    model = translation.Translator(PIECES)
    source = np.random.default_rng(0).integers(1, PIECES - 2, size=(sentences, 12))
    settings = {"start": PIECES - 2, "end": PIECES - 1, "max_length": length, "num_beams": 4}

    def write(use_cache: bool) -> np.ndarray:
        return search.translate(model, source, **settings, use_cache=use_cache)

    if not np.array_equal(write(True), write(False)):
        raise ValueError("the texts with and without a cache differ")
    return (
        lambda: timing.milliseconds(lambda: write(True), length),
        lambda: timing.milliseconds(lambda: write(False), length),
    )


def table(quick: bool) -> str:
    """Measure a batch of sentences."""
    sentences, length = (4, 8) if quick else (32, 24)
    rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS // 3
    found = timing.compare("search", *sides(sentences, length), rounds)
    head = ["beam search, a new token", "with the cache, ms", "without, ms", "without / with"]
    rows = [[f"{sentences} sentences, 4 beams" + found.note, *found.cells()]]
    return timing.markdown(head, rows)
