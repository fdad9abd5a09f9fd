"""English–French sentence pairs of the Tatoeba project."""

import re
import zipfile
from pathlib import Path
from typing import Any

from dlbook.data.cmn_eng import SentencePairs
from dlbook.data.files.types import RemoteFile, register
from dlbook.data.loading import load

_ARCHIVE, _MEMBER = "translation/fra-eng.zip", "fra.txt"
# narrow and unbreakable spaces, which some French sentences have before ! and others do not
_SPACES = re.compile("[\u00a0\u2009\u200b\u202f]")

register(
    name="fra-eng",
    title="Tatoeba's English–French sentence pairs",
    files=(
        RemoteFile(
            _ARCHIVE,
            3_424_571,
            "161c93f18da3a7e6df611ed961426613260de8af06ccf8c79c977afe5135ac44",
            (
                "https://raw.githubusercontent.com/modelexlab/data/"
                "adddaf33ac35572bcfeb421efec29435e7ea9332/fra-eng.zip",
            ),
        ),
    ),
    licence="CC BY 2.0 FR (Tatoeba)",
    citation="tatoeba.org, by way of www.manythings.org/anki",
    homepage="https://www.manythings.org/anki/",
)


def load_fra_eng() -> SentencePairs:
    """Loads English sentences with a French translation each, short ones first.

    A sentence may stand in several pairs. Spaces of special width are made plain ones.

    Returns:
        167,130 pairs, English first. The stand-in has pairs in a French of some sixty words.

    Raises:
        DataUnavailableError: in real mode, when the file cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("fra-eng", SentencePairs, _read)


def read_pairs(path: Path) -> tuple[tuple[str, str], ...]:
    """Reads the pairs from the archive, without unpacking it to disk.

    Args:
        path: a zip file with ``fra.txt`` in it, in whatever folder: English and French with a tab
            between them in each line; what follows a second tab is left out.

    Returns:
        The pairs in the order of the file.

    Raises:
        ValueError: when the archive has no such file, or a line no tab.
    """
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if Path(n).name == _MEMBER]
        names = [n for n in names if not n.startswith("__MACOSX")]
        if not names:
            raise ValueError(f"{path} has no {_MEMBER}")
        text = _SPACES.sub(" ", archive.read(names[0]).decode("utf-8"))
    pairs = []
    for number, line in enumerate(text.splitlines(), start=1):
        row = line.split("\t")
        if len(row) < 2:
            raise ValueError(f"line {number} of {_MEMBER} has no tab: {line[:40]!r}")
        pairs.append((row[0], row[1]))
    return tuple(pairs)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    return {"pairs": read_pairs(paths[_ARCHIVE])}
