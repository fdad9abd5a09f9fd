"""A stand-in for the word judgements: pairs and questions about the words of IMDB's stand-in."""

from itertools import combinations
from typing import Any

import numpy as np

from dlbook.data.word_judgements import Analogy

LICENCE = "made by dlbook; no terms"
CITATION = "the word lists in dlbook/data/stand_ins/word_judgements.py"
NOTE = (
    "Nobody was asked: two words have a high score when the grammar of IMDB's stand-in uses them "
    "in the same places. The analogies go round in pairs of words of two such kinds."
)

# kinds of words: within a kind they fill the same places of a sentence
_KINDS = (
    ("awful", "boring", "dull", "terrible", "weak", "bad", "poor", "ridiculous"),
    ("wonderful", "moving", "brilliant", "superb", "clever", "good", "great", "funny"),
    ("acting", "plot", "script", "music", "ending", "dialogue", "cast", "pace", "humour"),
    ("very", "really", "rather", "truly", "quite"),
    ("evening", "sister", "rainy", "town", "sea", "letter", "clock", "winter"),
)
_ALIKE, _RELATED, _APART = 9.0, 5.0, 1.0
_PAIRS, _SEED = 240, 20240507


def make() -> dict[str, Any]:
    """Makes the pairs and the questions, the same ones in every process.

    Returns:
        Fields of a ``WordJudgements``.
    """
    rng = np.random.default_rng(_SEED)
    kind = {word: n for n, words in enumerate(_KINDS) for word in words}
    pairs = list(combinations(kind, 2))
    chosen = tuple(pairs[n] for n in rng.permutation(len(pairs))[:_PAIRS])
    scores = [_score(kind[first], kind[second]) for first, second in chosen]
    couples = list(zip(_KINDS[0], _KINDS[1], strict=True))
    questions = tuple(
        Analogy("opposites", *one, *other) for one in couples for other in couples if one != other
    )
    return {
        "pairs": chosen,
        "scores": np.array(scores) + rng.uniform(-0.5, 0.5, len(scores)),
        "analogies": questions,
    }


def _score(one: int, other: int) -> float:
    if one == other:
        return _ALIKE
    return _RELATED if {one, other} == {0, 1} else _APART  # verdicts stand in the same places
