"""Tiny Shakespeare: a million characters from his plays in one text."""

from pathlib import Path

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.texts import TextData
from dlbook.data.loading import load

_FILE = "text/tinyshakespeare.txt"

register(
    name="tiny-shakespeare",
    title="tiny Shakespeare",
    files=(
        RemoteFile(
            _FILE,
            1_115_394,
            "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            (
                "https://raw.githubusercontent.com/karpathy/char-rnn/"
                "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/input.txt",
            ),
        ),
    ),
    licence="public domain text",
    citation="W. Shakespeare; selected by A. Karpathy for char-rnn, 2015",
    homepage="https://github.com/karpathy/char-rnn",
)


def load_tiny_shakespeare() -> TextData:
    """Loads tiny Shakespeare, a million characters from his plays in one text.

    Returns:
        The text, with 65 different characters. The stand-in is also English: the topics of
        Python's own documentation.

    Raises:
        DataUnavailableError: in real mode, when the file cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("tiny-shakespeare", TextData, _read)


def _read(paths: dict[str, Path]) -> dict[str, str]:
    return {"text": paths[_FILE].read_text(encoding="utf-8")}
