"""Data sets of sentences in two languages."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from dlbook.data.kinds.dataset import DataSet

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SentencePairs(DataSet):
    """Sentences in two languages.

    Args:
        pairs: a sentence and its translation, as written.
    """

    pairs: Pairs

    def sizes(self) -> str:
        return f"{len(self.pairs):,} pairs of sentences"


def read_pairs(path: Path, member: str) -> Pairs:
    """Reads the pairs from an archive, without unpacking it to disk.

    Args:
        path: a zip file.
        member: name of a file in it, in whatever folder: a sentence and its translation with a tab
            between them in each line; what follows a second tab is left out, and so are empty
            lines.

    Returns:
        The pairs in the order of the file.

    Raises:
        ValueError: when the archive has no such file, or a line no tab.
    """
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if Path(n).name == member]
        names = [n for n in names if not n.startswith("__MACOSX")]
        if not names:
            raise ValueError(f"{path} has no {member}")
        text = archive.read(names[0]).decode("utf-8")
    pairs = []
    for number, line in enumerate(text.splitlines(), start=1):
        row = line.split("\t")
        if not line:
            continue
        if len(row) < 2:
            raise ValueError(f"line {number} of {member} has no tab: {line[:40]!r}")
        pairs.append((row[0], row[1]))
    return tuple(pairs)
