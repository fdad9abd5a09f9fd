"""The Time Machine: a short novel by H. G. Wells in one text."""

from pathlib import Path

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.texts import TextData
from dlbook.data.loading import load

_FILE = "text/timemachine.txt"

register(
    name="time-machine",
    title="The Time Machine",
    files=(
        RemoteFile(
            _FILE,
            178_979,
            "8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516",
            (
                "https://d2l-data.s3-accelerate.amazonaws.com/timemachine.txt",
                "https://raw.githubusercontent.com/shiyanlou-015555/ai_learning/"
                "d334bebddbd6b3db4a34772e52148146f639811e/Datasets/timemachine.txt",
            ),
        ),
    ),
    licence="public domain text",
    citation="H. G. Wells: The Time Machine, 1895; the copy of Dive into Deep Learning",
    homepage="https://www.gutenberg.org/ebooks/35",
)


def load_time_machine() -> TextData:
    """Loads The Time Machine, a short novel of 1895, as one text.

    Returns:
        The text, with 70 different characters, its lines broken as in the file. The stand-in is
        a traveller's report put together by a small grammar.

    Raises:
        DataUnavailableError: in real mode, when the file cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("time-machine", TextData, _read)


def _read(paths: dict[str, Path]) -> dict[str, str]:
    return {"text": paths[_FILE].read_text(encoding="utf-8")}
