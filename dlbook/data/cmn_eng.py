"""English–Chinese sentence pairs of the Tatoeba project."""

from pathlib import Path
from typing import Any

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.pairs import SentencePairs, read_pairs
from dlbook.data.loading import load

_ARCHIVE, _MEMBER = "translation/cmn-eng.zip", "cmn.txt"

register(
    name="cmn-eng",
    title="Tatoeba's English–Chinese sentence pairs",
    files=(
        RemoteFile(
            _ARCHIVE,
            1_049_235,
            "4cb20d0f6bff49dd9701d5c57787a83bdc49687454c8912a0f813222c4ee12bc",
            (
                "https://raw.githubusercontent.com/tongsun99/nlp-task/"
                "dfd704d26d35b027116faac9d36d5d22915eff9b/cmn-eng.zip",
            ),
        ),
    ),
    licence="CC BY 2.0 FR (Tatoeba)",
    citation="tatoeba.org, by way of www.manythings.org/anki",
    homepage="https://www.manythings.org/anki/",
)


def load_cmn_eng() -> SentencePairs:
    """Loads short English sentences with a Chinese translation each.

    Simplified and traditional characters are mixed, and a sentence may stand in several pairs.

    Returns:
        24,818 pairs, English first. The stand-in has pairs made by a small grammar.

    Raises:
        DataUnavailableError: in real mode, when the file cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("cmn-eng", SentencePairs, _read)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    return {"pairs": read_pairs(paths[_ARCHIVE], _MEMBER)}
