"""WordPiece: BERT's vocabulary of words and parts of words, with its marks for special places.

Schuster and Nakajima, "Japanese and Korean voice search", ICASSP 2012; as used by Devlin and
others, "BERT: pre-training of deep bidirectional Transformers for language understanding", 2019.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.trainers import WordPieceTrainer

from dlbook.text.byte_pairs import without_surrogates
from dlbook.text.vocabulary import PADDING, pieces_of

MARKS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
INSIDE = "##"  # in front of a piece that does not begin a word


class WordPieceVocabulary:
    """Word pieces as numbers, with BERT's five marks among them.

    A text becomes small letters without accents, is cut into words and signs, and each word into
    the longest pieces that are known, from left to right; pieces inside a word begin with ``##``.
    The tokenizers library does the work. A mark that stands in a text is read as the mark: so
    ``"a [MASK] film"`` has a gap.

    Args:
        pieces: all pieces and marks in the order of their numbers, ``[PAD]`` first.
        lowercase: whether to make letters small and take accents away.

    Raises:
        ValueError: when a mark is missing, ``[PAD]`` is not the first, or a piece occurs twice.
    """

    def __init__(self, pieces: Sequence[str], *, lowercase: bool = True):
        self.pieces = tuple(pieces)
        self.lowercase = lowercase
        numbers = {piece: number for number, piece in enumerate(self.pieces)}
        missing = [mark for mark in MARKS if mark not in numbers]
        if missing:
            raise ValueError(f"pieces lacks {', '.join(missing)}: is this a BERT vocabulary?")
        if numbers["[PAD]"] != PADDING:
            raise ValueError("pieces must begin with [PAD], because padding is 0")
        if len(numbers) < len(self.pieces):
            raise ValueError("pieces has the same piece more than once")
        self.unknown, self.start, self.separator, self.mask = (numbers[m] for m in MARKS[1:])
        self._tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
        self._tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        self._tokenizer.add_special_tokens([AddedToken(m, normalized=False) for m in MARKS])
        self._decoder = decoders.WordPiece(prefix=INSIDE)

    @classmethod
    def train(cls, texts: Iterable[str], size: int) -> "WordPieceVocabulary":
        """Learns the pieces from some texts: those that pay off most as whole pieces.

        Args:
            texts: the texts to count in.
            size: how many numbers there are to be, the five marks included; there are fewer where
                the texts have fewer words.

        Raises:
            ValueError: when ``texts`` is one text or has no word, or ``size`` has no room for its
                characters.
        """
        if isinstance(texts, str):
            raise ValueError("texts must be several texts: put a single one into a list")
        learner = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        learner.normalizer = normalizers.BertNormalizer(lowercase=True)
        learner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = WordPieceTrainer(
            vocab_size=size,
            special_tokens=[*MARKS],
            limit_alphabet=1_000,  # rarer characters are unknown
            show_progress=False,
        )
        learner.train_from_iterator((without_surrogates(text) for text in texts), trainer)
        numbers = learner.get_vocab()
        if len(numbers) <= len(MARKS):
            raise ValueError("texts has no word to learn from")
        if len(numbers) > size:
            raise ValueError(f"size must be {len(numbers)} or more for these texts; got {size}")
        return cls(sorted(numbers, key=numbers.get))

    @classmethod
    def from_file(cls, path: str | Path, *, lowercase: bool = True) -> "WordPieceVocabulary":
        """The vocabulary of a published model: a ``vocab.txt`` with one piece in each line."""
        return cls(Path(path).read_text(encoding="utf-8").splitlines(), lowercase=lowercase)

    def __len__(self) -> int:
        """How many numbers there are."""
        return len(self.pieces)

    def encode(self, text: str) -> np.ndarray:
        """A text as numbers, without ``[CLS]`` and ``[SEP]`` around it.

        Args:
            text: any text. An empty one gives no numbers.

        Returns:
            (pieces,), int32.
        """
        return self.encode_all([text])[0]

    def encode_all(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Several texts as numbers, on all cores at once.

        Args:
            texts: the texts.

        Returns:
            One array (pieces,), int32, for each.
        """
        if isinstance(texts, str):
            raise ValueError("texts must be several texts: put a single one into a list")
        found = self._tokenizer.encode_batch_fast([without_surrogates(text) for text in texts])
        return [np.array(one.ids, np.int32) for one in found]

    def decode(self, numbers: Iterable[int]) -> str:
        """The text that numbers stand for, in small letters; marks but for padding are shown.

        Args:
            numbers: integers from 0 to ``len(self) - 1``, in one dimension.

        Raises:
            ValueError: when a number stands for no piece.
        """
        found = pieces_of(numbers, self.pieces)
        return self._decoder.decode([piece for piece in found if piece != "[PAD]"])

    def frame(
        self,
        firsts: Sequence[np.ndarray],
        length: int,
        seconds: Sequence[np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Puts ``[CLS]`` before each text, ``[SEP]`` behind it, a second text after that, padding.

        Args:
            firsts: encoded texts, or the first ones of pairs.
            length: places of a row. Of a text that is too long the end is kept; in a pair each may
                use half of the room that the marks leave.
            seconds: the second ones of pairs, each ended by a ``[SEP]`` of its own.

        Returns:
            Tokens and segments, (texts, length), int32 each. A segment is 1 from the second text
            to its ``[SEP]``, and 0 elsewhere.

        Raises:
            ValueError: when there is no text, the lists differ in length, or there is no room.
        """
        if not len(firsts) or (seconds is not None and len(seconds) != len(firsts)):
            raise ValueError("firsts must have at least one text, and seconds as many as firsts")
        room = length - 2 if seconds is None else (length - 3) // 2
        if room < 1:
            raise ValueError(f"length={length} leaves no room for a text between the marks")
        tokens = np.zeros((len(firsts), length), np.int32)
        segments = np.zeros_like(tokens)
        for number, first in enumerate(firsts):
            row = [self.start, *first[-room:], self.separator]
            begun = len(row)
            if seconds is not None:
                row += [*seconds[number][-room:], self.separator]
            tokens[number, : len(row)] = row
            segments[number, begun : len(row)] = 1
        return tokens, segments
