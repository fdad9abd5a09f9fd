"""Word judgements: how alike people find two words, and questions of analogy."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dlbook.data.files.types import RemoteFile, register
from dlbook.data.kinds.dataset import DataSet
from dlbook.data.loading import load

_PAIRS, _QUESTIONS = "word2vec-eval/wordsim353.csv", "word2vec-eval/questions-words.txt"

register(
    name="word-judgements",
    title="WordSim-353 and Google's analogies",
    files=(
        RemoteFile.on_hosts(
            _PAIRS,
            7_487,
            "679cada835e6e06ef752345044b0bc2e1804cfb67064d6deb94a93e07b2a80d4",
            "https://raw.githubusercontent.com/Thiri203/NLP_A1/"
            "8c85cca82909501d399630e428fadb09e0a71f02/",
        ),
        RemoteFile.on_hosts(
            _QUESTIONS,
            603_955,
            "8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36",
            "https://raw.githubusercontent.com/tmikolov/word2vec/"
            "20c129af10659f7c50e86e3be406df663beff438/",
        ),
    ),
    licence="WordSim-353: CC BY 4.0; the analogies: Apache-2.0",
    citation=(
        "L. Finkelstein and others: Placing search in context. ACM TOIS 20(1), 2002; "
        "T. Mikolov and others: Efficient estimation of word representations, 2013"
    ),
    homepage="https://github.com/tmikolov/word2vec",
)


class Analogy(NamedTuple):
    """A question: ``first`` is to ``second`` as ``third`` is to ``answer``.

    Attributes:
        section: the kind of question, as "family".
        first: a word, small letters.
        second: what belongs to it.
        third: another word.
        answer: what belongs to that one.
    """

    section: str
    first: str
    second: str
    third: str
    answer: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WordJudgements(DataSet):
    """Pairs of words with people's scores, and analogies.

    Args:
        pairs: two words each, small letters.
        scores: (pairs,), float64: the mean of the people's scores, 0 (unrelated) to 10.
        analogies: the questions.
    """

    pairs: tuple[tuple[str, str], ...]
    scores: np.ndarray
    analogies: tuple[Analogy, ...]

    def sizes(self) -> str:
        return f"{len(self.pairs):,} pairs of words, {len(self.analogies):,} analogies"


def load_word_judgements() -> WordJudgements:
    """Loads two yardsticks for word vectors.

    Returns:
        353 pairs of English words that people scored, and 19,544 analogies in 14 sections, all in
        small letters. The stand-in has pairs and questions about the words of IMDB's stand-in.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong DLBOOK_DATA, DLBOOK_DATA_DIR or DLBOOK_CACHE.
    """
    return load("word-judgements", WordJudgements, _read)


def read_pairs(text: str) -> tuple[tuple[tuple[str, str], ...], np.ndarray]:
    """Reads a table with a head: two words and a score in each line.

    Args:
        text: the file, commas between the columns.

    Returns:
        The pairs in small letters, and their scores.
    """
    rows = [row for row in csv.reader(io.StringIO(text)) if row][1:]
    pairs = tuple((first.lower(), second.lower()) for first, second, _ in rows)
    return pairs, np.array([float(score) for *_, score in rows])


def read_analogies(text: str) -> tuple[Analogy, ...]:
    """Reads questions of four words a line, under lines ": section".

    Args:
        text: the file.

    Returns:
        The questions in small letters.
    """
    questions, section = [], ""
    for line in text.splitlines():
        if line.startswith(":"):
            section = line[1:].strip()
        elif line.strip():
            questions.append(Analogy(section, *line.lower().split()))
    return tuple(questions)


def _read(paths: dict[str, Path]) -> dict[str, Any]:
    pairs, scores = read_pairs(paths[_PAIRS].read_text(encoding="utf-8"))
    analogies = read_analogies(paths[_QUESTIONS].read_text(encoding="utf-8"))
    return {"pairs": pairs, "scores": scores, "analogies": analogies}
