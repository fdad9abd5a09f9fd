"""Gaps in texts: what BERT is asked to fill in."""

from typing import NamedTuple

import numpy as np

FIRST_PIECE = 5  # after [PAD], [UNK], [CLS], [SEP] and [MASK], as in ``WordPieceVocabulary.train``


class Masked(NamedTuple):
    """Texts with gaps.

    Attributes:
        tokens: (rows, tokens), int32: the texts after masking.
        places: (rows, gaps), int32: where something is to be guessed; 0 where a row has fewer.
        targets: (rows, gaps), int32: what stood there; 0, which a loss ignores, where a row has
            fewer.
    """

    tokens: np.ndarray
    places: np.ndarray
    targets: np.ndarray


def mask_words(
    tokens: np.ndarray,
    rng: np.random.Generator,
    *,
    mask: int,
    vocabulary_size: int,
    share: float = 0.15,
    first_piece: int = FIRST_PIECE,
) -> Masked:
    """Chooses tokens of each row and hides most of them: BERT's 80/10/10.

    Of the chosen tokens 80 % become ``[MASK]``, 10 % another token drawn at random, and 10 % stay.

    Args:
        tokens: (rows, tokens), integers.
        rng: what draws.
        mask: the number of ``[MASK]``.
        vocabulary_size: random tokens are below it.
        share: share of a row's pieces that is chosen, at least one.
        first_piece: smaller numbers are marks, which are never chosen and never drawn.

    Returns:
        The masked rows; ``gaps`` is what ``share`` makes of a full row.

    Raises:
        ValueError: the share is not between 0 and 1, or a row has no piece to choose.
    """
    tokens = np.asarray(tokens)
    if not 0 < share < 1:
        raise ValueError(f"share must be between 0 and 1, got {share}")
    if tokens.ndim != 2 or not tokens.size:
        raise ValueError(f"tokens must be (rows, tokens) with at least one of each, {tokens.shape}")
    eligible = tokens >= first_piece
    count = eligible.sum(axis=1)
    if not count.all():
        raise ValueError(f"tokens[{(count == 0).argmax()}] has no piece to choose: leave it out")
    gaps = max(round(share * tokens.shape[1]), 1)
    chosen_count = np.clip(np.round(share * count).astype(int), 1, gaps)
    # a random order of the places in which those that may be chosen come first
    order = np.argsort(rng.random(tokens.shape) + ~eligible, axis=1)[:, :gaps]
    used = np.arange(gaps) < chosen_count[:, None]
    places = np.where(used, order, 0).astype(np.int32)
    targets = np.where(used, np.take_along_axis(tokens, order, axis=1), 0).astype(np.int32)
    fate = rng.random(places.shape)
    drawn = rng.integers(first_piece, vocabulary_size, places.shape)
    shown = np.where(fate < 0.8, mask, np.where(fate < 0.9, drawn, targets))
    masked = tokens.astype(np.int32)
    rows = np.broadcast_to(np.arange(len(tokens))[:, None], places.shape)
    masked[rows[used], places[used]] = shown[used]
    return Masked(masked, places, targets)
