"""A stand-in for The Time Machine: a traveller's report, written by a small grammar.

Every paragraph is about one companion, who is named at its beginning and again in some of its
sentences: what a reader remembers of the lines before helps with the next one.
"""

import textwrap

import numpy as np

LICENCE = "made by dlbook; no terms"
CITATION = "the grammar in dlbook/data/stand_ins/time_machine.py"
NOTE = "The report was put together at random from some hundred words. It tells no story."

_NAMES = ("Filby", "Weena", "Blank", "Dash", "Chose", "Wells", "Hillyer", "Watchett")
_THINGS = (
    "machine", "lever", "lamp", "garden", "river", "sphinx", "palace", "tunnel", "fire", "valley",
    "moon", "forest", "clock", "staircase", "flower", "window", "door", "hill", "shore", "match",
)  # fmt: skip
_KINDS = (
    "white", "dark", "little", "strange", "broken", "distant", "pale", "huge", "silent", "green",
    "ruined", "bright", "heavy", "dusty", "curious", "old",
)  # fmt: skip
_DEEDS = (
    "saw", "touched", "followed", "remembered", "feared", "described", "lost", "found", "crossed",
    "left", "examined", "watched",
)  # fmt: skip
_TIMES = (
    "at sunset", "in the morning", "for an hour", "that night", "presently", "once more",
    "in the twilight", "a moment later", "for the first time", "in the far future",
)  # fmt: skip
_PLACES = (
    "under the {kind} {thing}", "beside a {thing}", "near the {thing}", "behind the {kind} {thing}",
    "beyond the {thing}", "within the {thing}",
)  # fmt: skip
_SENTENCES = (
    "{name} {deed} the {kind} {thing} {time}.",
    "I {deed} a {kind} {thing} {place}, and {name} {deed2} it too.",
    "'The {thing} is {kind},' said {name}.",
    "{time}, we stood {place}.",
    "There was a {kind} {thing} {place}; I {deed} it {time}.",
    "So the {thing} that {name} {deed} was {kind} and {kind2}.",
    "It seemed to me that the {thing} {place} was {kind}.",
    "'Where is the {kind} {thing}?' I asked {time}.",
)
_LENGTH, _SEED = 60_000, 20240504


def make() -> dict[str, str]:
    """Writes the report, the same one in every process.

    Returns:
        The field of a ``TextData``.
    """
    rng = np.random.default_rng(_SEED)

    def one_of(choices):
        return choices[rng.integers(len(choices))]

    def sentence(name):
        words = {
            **{"name": name, "thing": one_of(_THINGS), "time": one_of(_TIMES)},
            **{"kind": one_of(_KINDS), "kind2": one_of(_KINDS)},
            **{"deed": one_of(_DEEDS), "deed2": one_of(_DEEDS)},
        }
        place = one_of(_PLACES).format(kind=one_of(_KINDS), thing=one_of(_THINGS))
        written = one_of(_SENTENCES).format(**words, place=place)
        return written[0].upper() + written[1:]

    paragraphs, length = [], 0
    while length < _LENGTH:
        name = one_of(_NAMES)
        told = " ".join(sentence(name) for _ in range(rng.integers(3, 9)))
        paragraphs.append(textwrap.fill(told, 68))
        length += len(paragraphs[-1]) + 2
    return {"text": "\n\n".join(paragraphs)[:_LENGTH]}
