"""Tang poems: some ten thousand of the Complete Tang Poems, in traditional characters."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.texts import Poem, PoemData
from dlbook.data.loading import load

# Chinese characters, the rarest ones too, and the punctuation of verses. Poems with anything else
# have a gap in the sources, or an editor's note in the middle of a line.
_LINE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff，。？！；：、]+")


_HOST = (
    "https://raw.githubusercontent.com/chinese-poetry/chinese-poetry/"
    "99ebbef7e1345c0985c44b9fd96a3f9e776f117b/%E5%85%A8%E5%94%90%E8%AF%97/"
)

register(
    name="tang-poems",
    title="Tang poems · 唐詩",
    files=tuple(
        RemoteFile.on_hosts(f"text/chinese-poetry/poet.tang.{number}.json", size, sha256, _HOST)
        for number, size, sha256 in (
            (0, 408_405, "4f88f429938082523cdc72a1612bd7a7c3e3f7a33f8192c61ae51340efc3c92d"),
            (1000, 477_519, "6e703b8d8dcedbd6110f6d48d043665ca2131db2035a5bfcef5e59a19aeb6d75"),
            (2000, 417_948, "ec28efa7e2ae9cdbbba09f0ed186e32ccae47a325ad1e5816b7ad56071c1665a"),
            (3000, 453_811, "9e4ba2323752b6b9fbdba875cdbc6a26636fe0cabc85fd066370d4915952001f"),
            (4000, 488_655, "b8a7946c879b9658a6c667a4c55f776fae7e5e00a17789ab06b274c1429afc66"),
            (5000, 467_225, "a0306e6962cff01639ad9a00b042a201b8dec1f30fa5d768a7b112589887861e"),
            (6000, 470_031, "982a21d2b15922b406911f1c825785054314c686da86b2155d7aebb362d22771"),
            (7000, 474_558, "a6fb69d7b4343c904dc56ae5aae34facc2478d196b51c37ceba9d1e2f171b342"),
            (8000, 574_248, "ac3848e95b02736168003863795de4474838c2d6a71a24ca2a4a280ea5177773"),
            (9000, 476_882, "b99d6596e3a1fe1a661652383083f92d196b8baf4e461d087081d5e1e1b7a51f"),
        )
    ),
    licence="MIT (chinese-poetry); the poems are in the public domain",
    citation="Complete Tang Poems (全唐詩), 1705; typed in by the chinese-poetry project",
    homepage="https://github.com/chinese-poetry/chinese-poetry",
)


def load_tang_poems() -> PoemData:
    """Loads poems of the Tang dynasty, in traditional characters.

    Returns:
        About ten thousand poems with author, title and lines. Left out are poems whose text has a
        gap or an editor's note, and those that were there before. The stand-in has 1,000 poems
        put together from a few hundred words.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("tang-poems", PoemData, _read)


def read_poems(paths: Iterable[Path]) -> tuple[Poem, ...]:
    """Reads poems from JSON files: lists of objects with author, title and paragraphs.

    Args:
        paths: the files.

    Returns:
        The poems with unbroken text, each text once.
    """
    poems: dict[tuple[str, ...], Poem] = {}
    for path in paths:
        for entry in json.loads(path.read_text(encoding="utf-8")):
            lines = tuple(entry["paragraphs"])
            if lines and all(_LINE.fullmatch(line) for line in lines):
                poems.setdefault(lines, Poem(entry["author"], entry["title"], lines))
    return tuple(poems.values())


def _read(paths: dict[str, Path]) -> dict[str, tuple[Poem, ...]]:
    return {"poems": read_poems(paths.values())}
