"""Texts to learn to write from: tiny Shakespeare and Tang poems, and the stand-ins for them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np

from dlbook.data.files.locate import STAND_IN, Located
from dlbook.data.files.types import get_collection
from dlbook.data.kinds.texts import Poem, PoemData, TextData
from dlbook.data.loading import load

# Chinese characters, the rarest ones too, and the punctuation of verses. Poems with anything else
# have a gap in the sources, or an editor's note in the middle of a line.
_LINE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff，。？！；：、]+")


_TOPICS = 120_000  # characters of the stand-in


def load_tiny_shakespeare() -> TextData:
    """Loads tiny Shakespeare, a million characters from his plays in one text.

    Returns:
        The text, with 65 different characters. The stand-in is also English: the topics of
        Python's own documentation.

    Raises:
        DataUnavailableError: in real mode, when the file cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("tiny-shakespeare", _read_shakespeare, _python_topics)


def load_tang_poems() -> PoemData:
    """Loads poems of the Tang dynasty, in traditional characters.

    Returns:
        About ten thousand poems with author, title and lines. Left out are poems whose text has a
        gap or an editor's note, and those that were there before. The stand-in has 600 poems
        put together from a few hundred words.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("tang-poems", _read_poems, _made_poems)


def read_poems(paths: Iterable[Path]) -> tuple[Poem, ...]:
    """Reads poems from JSON files: lists of objects with author, title and paragraphs.

    Args:
        paths: the files.

    Returns:
        The poems with unbroken text, each text once.

    Raises:
        ValueError: when a file has another form; the message names it.
    """
    poems: dict[tuple[str, ...], Poem] = {}
    for path in paths:
        try:
            for entry in json.loads(path.read_text(encoding="utf-8")):
                lines = tuple(entry["paragraphs"])
                if lines and all(_LINE.fullmatch(line) for line in lines):
                    poems.setdefault(lines, Poem(entry["author"], entry["title"], lines))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path.name} is no list of poems: {error!r}") from error
    return tuple(poems.values())


def _read_shakespeare(located: Located) -> TextData:
    collection = get_collection("tiny-shakespeare")
    return TextData(
        name=collection.name,
        title=collection.title,
        source=located.source,
        licence=collection.licence,
        citation=collection.citation,
        notes=located.notes,
        text=located.paths["text/tinyshakespeare.txt"].read_text(encoding="utf-8"),
    )


def _python_topics(notes: tuple[str, ...]) -> TextData:
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name].strip() for name in sorted(topics)) + "\n"
    # a few typographic characters occur too seldom to learn
    rare = {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."}
    text = text.translate(str.maketrans(rare)).encode("ascii", "ignore").decode()
    text = text[: text.rindex("\n\n", 0, _TOPICS) + 1]
    return TextData(
        name="tiny-shakespeare",
        title=get_collection("tiny-shakespeare").title,
        source=STAND_IN,
        licence="shipped with Python (PSF licence)",
        citation="Python Software Foundation: The Python language reference",
        notes=(*notes, "The text is Python's documentation of its language: no play, but English."),
        text=text,
    )


def _read_poems(located: Located) -> PoemData:
    collection = get_collection("tang-poems")
    return PoemData(
        name=collection.name,
        title=collection.title,
        source=located.source,
        licence=collection.licence,
        citation=collection.citation,
        notes=located.notes,
        poems=read_poems(located.paths.values()),
    )


# ---- poems put together from words ----

_PLACES = (
    "山中", "江上", "林下", "溪邊", "樓前", "月下", "花間", "雲外",
    "松間", "城南", "天涯", "水邊", "橋頭", "竹裏", "關外", "湖中",
)  # fmt: skip
_THINGS = (
    "明月", "清風", "白雲", "落花", "孤舟", "青山", "流水", "秋雨",
    "春草", "歸雁", "寒星", "殘雪", "古木", "遠鐘", "飛鳥", "夕陽",
)  # fmt: skip
_VERBS = tuple("來去生落過歸飛流照行起滿")
_STATES = tuple("獨不自初又空未正猶漸已還")
# the last character of verses 2 and 4 rhymes with the one of its list
_RHYMES = tuple(
    tuple(line) for line in ("山間還閒關顏", "天年前煙眠邊", "風中空紅東同", "秋樓愁流舟頭")
)
_POETS = ("甲", "乙", "丙", "丁", "戊")
_POEMS, _SEED = 600, 20240503
_HOW = (
    "The poems were put together at random from some sixty words: four verses of five or seven "
    "characters, of which the second and the fourth rhyme. They mean nothing."
)


@lru_cache(maxsize=1)
def make_poems() -> tuple[Poem, ...]:
    """Puts the stand-in's poems together, the same ones in every process."""
    rng = np.random.default_rng(_SEED)

    def one_of(choices):
        return choices[int(rng.integers(len(choices)))]

    def verse(size: int, ending: str) -> str:
        head = one_of(_PLACES) if size == 7 else ""
        return head + one_of(_THINGS) + one_of(_STATES) + one_of(_VERBS) + ending

    poems: dict[tuple[str, ...], Poem] = {}
    while len(poems) < _POEMS:
        size, rhyme = one_of((5, 7)), one_of(_RHYMES)
        first, second = rng.permutation(len(rhyme))[:2]
        lines = tuple(
            f"{verse(size, one_of(_VERBS))}，{verse(size, rhyme[end])}。" for end in (first, second)
        )
        title = one_of(_PLACES) + one_of(_THINGS)
        poems.setdefault(lines, Poem(one_of(_POETS), title, lines))
    return tuple(poems.values())


def _made_poems(notes: tuple[str, ...]) -> PoemData:
    return PoemData(
        name="tang-poems",
        title=get_collection("tang-poems").title,
        source=STAND_IN,
        licence="made by dlbook; no terms",
        citation="the word lists in dlbook/data/literature.py",
        notes=(*notes, _HOW),
        poems=make_poems(),
    )
