"""A stand-in for Tatoeba's pairs: an English and a French of a few dozen words, made by rules."""

from typing import Any

import numpy as np

LICENCE = "made by dlbook; no terms"
CITATION = "the word lists in dlbook/data/stand_ins/fra_eng.py"
NOTE = "The sentences were put together from a few dozen words by a grammar."

_PEOPLE = (("I", "je"), ("You", "tu"), ("Tom", "Tom"), ("Mary", "Marie"))
_VERBS = (  # English: I/you, Tom/Mary; French: je, tu, Tom/Marie
    (("see", "sees"), ("vois", "vois", "voit")),
    (("want", "wants"), ("veux", "veux", "veut")),
    (("buy", "buys"), ("prends", "prends", "prend")),
    (("like", "likes"), ("chéris", "chéris", "chérit")),
    (("find", "finds"), ("découvre", "découvres", "découvre")),
    (("sell", "sells"), ("vends", "vends", "vend")),
)
_NOUNS = (  # the article says the gender
    ("dog", "chien", "m"),
    ("cat", "chat", "m"),
    ("book", "livre", "m"),
    ("car", "voiture", "f"),
    ("house", "maison", "f"),
    ("table", "table", "f"),
    ("key", "clef", "f"),
    ("bread", "pain", "m"),
)
_ADJECTIVES = (  # in French behind the noun, and with the noun's ending
    ("green", "vert", "verte"),
    ("black", "noir", "noire"),
    ("blue", "bleu", "bleue"),
    ("heavy", "lourd", "lourde"),
)
_TIMES = (("", ""), (" today", " aujourd'hui"), (" again", " encore"), (" often", " souvent"))
_SENTENCES, _SEED = 4_000, 20240512


def make() -> dict[str, Any]:
    """Puts the pairs together, the same ones in every process.

    Returns:
        The field of a ``SentencePairs``.
    """
    rng = np.random.default_rng(_SEED)
    return {"pairs": tuple(_pair(rng) for _ in range(_SENTENCES))}


def _pair(rng: np.random.Generator) -> tuple[str, str]:
    who, verb, noun, adjective, when = (
        int(rng.integers(len(some))) for some in (_PEOPLE, _VERBS, _NOUNS, _ADJECTIVES, _TIMES)
    )
    english, french, gender = _NOUNS[noun]
    if rng.random() < 0.7:
        one, masculine, feminine = _ADJECTIVES[adjective]
        english = f"{one} {english}"
        french = f"{french} {masculine if gender == 'm' else feminine}"
    to_be_found = rng.random() < 0.5
    english = f"{'the' if to_be_found else 'a'} {english}"
    articles = {"m": ("un", "le"), "f": ("une", "la")}[gender]
    french = f"{articles[to_be_found]} {french}"
    (they, theirs), (english_verb, french_verb) = _PEOPLE[who], _VERBS[verb]
    doing, done = english_verb[who > 1], french_verb[min(who, 2)]
    again, encore = _TIMES[when]
    if rng.random() < 0.3:  # a negation goes round the French verb
        english = f"{they} {'do' if who < 2 else 'does'} not {english_verb[0]} {english}{again}."
        theirs = f"{theirs} ne {done} pas {french}{encore}."
    else:
        english = f"{they} {doing} {english}{again}."
        theirs = f"{theirs} {done} {french}{encore}."
    return english, theirs[0].upper() + theirs[1:]
