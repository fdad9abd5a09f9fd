"""A stand-in for the IMDB reviews, written by a small grammar with known rules.

A review is a row of sentences about one film. Most lean to the review's verdict, some to the
other side. The order of words matters in three ways: a negation turns a word round ("not good"),
a contrast ("a masterpiece, they said, but ...") quotes the word of the other side, and in a
quarter of the reviews the first sentence states an expectation that only the last sentence
confirms ("I was right") or takes back ("I was wrong").
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlbook.data.kinds.texts import labels_in_turn, split_words

LICENCE = "made by dlbook; no terms"
CITATION = "the grammar in dlbook/data/stand_ins/imdb.py"
NOTE = (
    "The reviews were written by a grammar with negations, contrasts and opinions that are taken "
    "back at the end. Results on them say nothing about results on IMDB."
)

_TRAIN, _TEST = 2_000, 600
_SEED = 20240502

_ADJECTIVES = (  # negative, positive
    (
        "awful", "boring", "dull", "terrible", "weak", "predictable", "bad", "poor", "ridiculous",
        "unfunny",
    ),
    (
        "wonderful", "moving", "brilliant", "superb", "clever", "surprising", "good", "great",
        "funny", "touching",
    ),
)  # fmt: skip
_VERDICTS = (
    (
        "I want my two hours back.", "Avoid it.", "What a waste of time.", "I nearly left.",
        "I cannot recommend it.",
    ),
    (
        "I would see it again tomorrow.", "See it.", "Worth every minute.", "I wanted more of it.",
        "I can only recommend it.",
    ),
)  # fmt: skip
_ASPECTS = (
    "acting", "plot", "script", "music", "camera work", "ending", "opening", "dialogue", "lead",
    "direction", "cast", "pace", "humour", "story", "hero", "villain", "editing", "scenery",
)  # fmt: skip
_FILMS = (
    "The Silent Harbour", "Winter Road", "A Clockmaker's Son", "Red Lanterns", "The Last Ferry",
    "Paper Kings", "Under the Viaduct", "Two Left Shoes", "The Beekeeper", "Night Train North",
)  # fmt: skip
_DEGREES = ("", "", "very ", "really ", "rather ", "truly ", "quite ")
_FILLERS = (
    "We saw it on a rainy evening with my sister.", "It was filmed in the north of the country.",
    "The story begins in a small town by the sea.", "It runs for about two hours.",
    "A train, a letter and an old clock play a part in it.", "The second half is set in winter.",
    "My brother had read the book.", "There were ten of us in the cinema.",
    "The director made another film before this one.", "Most of it takes place in one house.",
    "I watched it twice, once with subtitles.", "It came out in the same year as {other}.",
)  # fmt: skip
_STRAIGHT = (
    "The {aspect} is {degree}{same}.", "I found the {aspect} {degree}{same}.",
    "What {degree}{same} {aspect}!", "The {aspect} was {same} and the {aspect2} {degree}{same2}.",
    "A {same} film.",
)  # fmt: skip
_NEGATED = (
    "The {aspect} is not {other_side}.", "I would not call the {aspect} {other_side}.",
    "The {aspect} was never {other_side}.", "The {aspect} is anything but {other_side}.",
    "Nobody could say that the {aspect} is {other_side}.",
)  # fmt: skip
_CONTRASTS = (
    "They told me that the {aspect} was {other_side}, but it is {same}.",
    "The {aspect} may look {other_side} at first, yet it turns out {same}.",
    "I had read that {film} was {other_side}; in fact it is {same}.",
)


def make() -> dict[str, Any]:
    """Writes the reviews, the same ones in every process.

    Returns:
        Fields of a ``TextClassificationData``: 2,000 training and 600 test texts, all different,
        a negative one and a positive one in turn.
    """
    rng = np.random.default_rng(_SEED)
    texts: dict[str, None] = {}  # in the order of writing
    while len(texts) < _TRAIN + _TEST:
        texts.setdefault(_review(len(texts) % 2, rng))
    train, test = tuple(texts)[:_TRAIN], tuple(texts)[_TRAIN:]
    # the most frequent word has rank 1; ties stand in the order of first use
    counts = Counter(word for text in train for word in split_words(text))
    return {
        "x_train": train,
        "y_train": labels_in_turn(train),
        "x_test": test,
        "y_test": labels_in_turn(test),
        "word_index": {word: rank for rank, (word, _) in enumerate(counts.most_common(), start=1)},
        "real_train_size": 25_000,
    }


def _review(positive: int, rng: np.random.Generator) -> str:
    film = _one_of(_FILMS, rng)
    # 3 to 30 sentences, mostly few: some 15 to 250 words
    length = int(np.clip(np.exp(rng.normal(1.7, 0.6)), 3, 30))
    body = []
    for _ in range(length):
        kind = rng.random()
        if kind < 0.35:
            body.append(_one_of(_FILLERS, rng).format(other=_one_of(_FILMS, rng)))
        else:
            side = positive if rng.random() < 0.78 else 1 - positive
            patterns = _STRAIGHT if kind < 0.7 else _NEGATED if kind < 0.9 else _CONTRASTS
            body.append(_opinion(_one_of(patterns, rng), side, film, rng))
    kind = rng.random()
    if kind < 0.25:
        right = rng.random() < 0.5
        expected = positive if right else 1 - positive
        word = _one_of(_ADJECTIVES[expected], rng)
        body.insert(0, f"Before it began I thought that {film} would be {word}.")
        body.append(f"I was {'right' if right else 'wrong'}.")
    elif kind < 0.7:
        body.insert(0, f"This is about {film}.")
        body.append(_one_of(_VERDICTS[positive], rng))
    breaks = rng.random(len(body)) < 0.1
    return "".join(
        sentence + ("<br /><br />" if broken else " ")
        for sentence, broken in zip(body, breaks, strict=True)
    ).rstrip(" ")


def _opinion(pattern: str, side: int, film: str, rng: np.random.Generator) -> str:
    return pattern.format(
        film=film,
        aspect=_one_of(_ASPECTS, rng),
        aspect2=_one_of(_ASPECTS, rng),
        degree=_one_of(_DEGREES, rng),
        same=_one_of(_ADJECTIVES[side], rng),
        same2=_one_of(_ADJECTIVES[side], rng),
        other_side=_one_of(_ADJECTIVES[1 - side], rng),
    )


def _one_of(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
