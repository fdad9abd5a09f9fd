"""English–French sentence pairs of the Tatoeba project."""

import re
from pathlib import Path
from typing import Any

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.pairs import Pairs, SentencePairs, read_pairs
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


def with_plain_spaces(pairs: Pairs) -> Pairs:
    """The pairs with a plain space for each one of special width."""
    return tuple((_SPACES.sub(" ", one), _SPACES.sub(" ", two)) for one, two in pairs)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    return {"pairs": with_plain_spaces(read_pairs(paths[_ARCHIVE], _MEMBER))}
