"""Multi30k: captions of photographs in English, French and German."""

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.dataset import DataSet
from dlbook.data.kinds.pairs import Pairs
from dlbook.data.loading import load

_PARTS = {"train": "train", "validation": "val", "test": "test_2016_flickr"}
_HOST = (
    "https://raw.githubusercontent.com/multi30k/dataset/"
    "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/raw/"
)
_FILES = {
    "train.en": (
        568_929,
        "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
    ),
    "train.fr": (
        604_242,
        "622e75069e9f4c577425c4f277116ce66e63a2401c0a2312d90073cb12379a3c",
    ),
    "val.en": (
        21_650,
        "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
    ),
    "val.fr": (
        23_001,
        "ca3106f1a72390591d25f6c45cb4cd39dec4cd3f123e099748a3ce5256c160e9",
    ),
    "test_2016_flickr.en": (
        21_077,
        "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
    ),
    "test_2016_flickr.fr": (
        22_310,
        "6d326e188d259fb1d04ac19eae3af956559b3a0b93d7635e56c90987c40c8b90",
    ),
}

register(
    name="multi30k",
    title="Multi30k, English and French",
    files=tuple(
        RemoteFile.on_hosts(f"translation/multi30k/{name}.gz", size, sha256, _HOST)
        for name, (size, sha256) in _FILES.items()
    ),
    licence="none stated; captions of Flickr30k, for research",
    citation=(
        "D. Elliott, S. Frank, K. Sima'an, L. Specia: Multi30K: multilingual English-German image "
        "descriptions. Workshop on Vision and Language, 2016; French: Elliott and others, WMT 2017"
    ),
    homepage="https://github.com/multi30k/dataset",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SplitPairs(DataSet):
    """Sentences in two languages, in three parts.

    Args:
        train: a sentence and its translation, as written.
        validation: likewise.
        test: likewise.
    """

    train: Pairs
    validation: Pairs
    test: Pairs

    def sizes(self) -> str:
        parts = (self.train, self.validation, self.test)
        return "{:,} + {:,} + {:,} pairs of captions".format(*map(len, parts))


def load_multi30k() -> SplitPairs:
    """Loads captions of photographs, English with a French translation.

    Returns:
        29,000 training, 1,014 validation and 1,000 test pairs (the test set of 2016). The stand-in
        has pairs made by a small grammar.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("multi30k", SplitPairs, _read)


def read_captions(path: Path) -> tuple[str, ...]:
    """Reads the captions of a gzip file, one a line."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return tuple(line.strip() for line in file)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    found = {}
    for part, name in _PARTS.items():
        english, french = (
            read_captions(paths[f"translation/multi30k/{name}.{language}.gz"])
            for language in ("en", "fr")
        )
        if len(english) != len(french):
            raise ValueError(f"{name} has {len(english)} English and {len(french)} French captions")
        found[part] = tuple(zip(english, french, strict=True))
    return found
