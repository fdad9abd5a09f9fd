"""Byte-pair encoding: frequent words as one piece, rare ones as several, none unknown.

Sennrich, Haddow & Birch, "Neural machine translation of rare words with subword units", ACL 2016,
after a compression scheme by Gage, "A new algorithm for data compression", 1994. On bytes:
Radford and others, "Language models are unsupervised multitask learners", 2019.
"""

import heapq
import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from dlbook.text.vocabulary import UNKNOWN_SIGN, pieces_of

# Where a text is cut before pairs are merged: no piece reaches across. A space belongs to the word
# after it, so nothing of the text is lost. The limit of 40 keeps a million letters without a space
# from being one word.
WORDS = r" ?\w{1,40}| ?[^\w\s]{1,40}|\s+(?!\S)|\s+"
_SURROGATES = re.compile("[\ud800-\udfff]")

Pair = tuple[str, str]


def count_words(texts: Iterable[str]) -> Counter[str]:
    """How often each word occurs, cut as byte-pair encoding cuts: with the space before it.

    Args:
        texts: the texts to count in.
    """
    if isinstance(texts, str):
        raise ValueError("texts must be several texts: put a single one into a list")
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(re.findall(WORDS, text))
    return counts


def learn_merges(word_counts: Mapping[str, int], num_merges: int) -> list[Pair]:
    """Learns which neighbouring pieces to merge: again and again the most frequent pair.

    Of pairs that occur equally often, the one of the older pieces is merged first, as the
    tokenizers library does it. Only the words that have the merged pair are counted again.

    Args:
        word_counts: word -> how often it occurs.
        num_merges: how many merges to learn; there are fewer where every word has become one piece.

    Returns:
        The merged pairs in order.
    """
    words = [list(word) for word in word_counts]
    times = list(word_counts.values())
    age = {piece: n for n, piece in enumerate(sorted({c for word in words for c in word}))}
    counts: Counter[Pair] = Counter()
    where: dict[Pair, set[int]] = defaultdict(set)
    for n, word in enumerate(words):
        for pair in itertools.pairwise(word):
            counts[pair] += times[n]
            where[pair].add(n)
    waiting = [(-count, age[a], age[b], (a, b)) for (a, b), count in counts.items()]
    heapq.heapify(waiting)
    merges: list[Pair] = []
    while waiting and len(merges) < num_merges:
        count, *_, pair = heapq.heappop(waiting)
        if counts[pair] != -count or count == 0:
            continue  # it has been counted again since
        merges.append(pair)
        merged = "".join(pair)
        age.setdefault(merged, len(age))
        changed: set[Pair] = set()
        for n in where.pop(pair):
            old, new = words[n], merge(words[n], pair)
            for sign, word in ((-1, old), (1, new)):
                for other in itertools.pairwise(word):
                    counts[other] += sign * times[n]
                    changed.add(other)
                    if sign == 1:
                        where[other].add(n)
            words[n] = new
        for other in changed - {pair}:
            if counts[other] > 0:
                a, b = other
                heapq.heappush(waiting, (-counts[other], age[a], age[b], other))
    return merges


def merge(pieces: Sequence[str], pair: Pair) -> list[str]:
    """Joins a pair wherever it occurs among the pieces of a word, from left to right.

    Args:
        pieces: the pieces of a word.
        pair: the two neighbours to join.
    """
    joined: list[str] = []
    for piece in pieces:
        if joined and (joined[-1], piece) == pair:
            joined[-1] += piece  # a merged piece is longer than either of the pair
        else:
            joined.append(piece)
    return joined


class BytePairVocabulary:
    """Byte pairs as numbers: 0 is padding, 1 any unknown character, then the pieces.

    The tokenizers library does the work, because it is a hundred times as fast as Python; a test
    holds ``learn_merges`` and it together. On bytes nothing is unknown, and a text comes back
    exactly. What is no character, a lone surrogate, is encoded as �.

    Args:
        alphabet: the symbols to begin with: characters, or the 256 signs that stand for bytes.
        merges: pairs of pieces to join, in order.
        on_bytes: whether the symbols stand for bytes.

    Raises:
        ValueError: when the alphabet is empty, or a merge joins what is no piece.
    """

    def __init__(self, alphabet: Iterable[str], merges: Sequence[Pair], *, on_bytes: bool = True):
        symbols = sorted(set(alphabet) - {UNKNOWN_SIGN})
        if not symbols:
            raise ValueError("alphabet is empty: a vocabulary needs at least one symbol")
        self.merges = tuple((first, second) for first, second in merges)
        self.on_bytes = on_bytes
        known = dict.fromkeys(["", UNKNOWN_SIGN, *symbols])
        for pair in self.merges:
            if not known.keys() >= set(pair):
                raise ValueError(f"merges has {pair}, but not both of them are known before it")
            known["".join(pair)] = None
        self._pieces = tuple(known)
        numbers = {piece: number for number, piece in enumerate(self._pieces) if piece}
        self._tokenizer = Tokenizer(
            models.BPE(numbers, list(self.merges), unk_token=None if on_bytes else UNKNOWN_SIGN)
        )
        self._tokenizer.pre_tokenizer = _cutter(on_bytes)
        self._decoder = decoders.ByteLevel() if on_bytes else decoders.Fuse()

    @classmethod
    def train(
        cls, texts: Iterable[str], size: int, *, on_bytes: bool = True
    ) -> "BytePairVocabulary":
        """Learns the merges from some texts.

        Args:
            texts: the texts to count in.
            size: how many numbers there are to be, padding and unknown included; there are fewer
                where every word has become one piece.
            on_bytes: begin with bytes, so that nothing is unknown. Otherwise with the characters
                of the texts: for Chinese, pieces are then whole characters and words.

        Raises:
            ValueError: when ``texts`` is one text or has no character, or ``size`` has no room
                for the symbols to begin with.
        """
        if isinstance(texts, str):
            raise ValueError("texts must be several texts: put a single one into a list")
        texts = [without_surrogates(text) for text in texts]
        characters = set().union(*map(set, texts)) - {UNKNOWN_SIGN}
        if not characters:
            raise ValueError("texts has no character to learn from")
        alphabet = pre_tokenizers.ByteLevel.alphabet() if on_bytes else sorted(characters)
        if size < len(alphabet) + 2:
            raise ValueError(
                f"size must be {len(alphabet) + 2} or more: padding, unknown and the "
                f"{len(alphabet)} symbols to begin with; got {size}"
            )
        learner = Tokenizer(models.BPE())
        learner.pre_tokenizer = _cutter(on_bytes)
        trainer = trainers.BpeTrainer(
            vocab_size=size - 2, initial_alphabet=alphabet, show_progress=False
        )
        learner.train_from_iterator(texts, trainer)
        return cls(alphabet, merges_of(learner), on_bytes=on_bytes)

    def __len__(self) -> int:
        """How many numbers there are."""
        return len(self._pieces)

    def encode(self, text: str) -> np.ndarray:
        """A text as numbers.

        Args:
            text: any text. An empty one gives no numbers.

        Returns:
            (pieces,), int32.
        """
        return np.array(self._tokenizer.encode(without_surrogates(text)).ids, np.int32)

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
        """The text that numbers stand for.

        Args:
            numbers: integers from 0 to ``len(self) - 1``, in one dimension.

        Returns:
            The text; nothing for padding, and � for an unknown character and for bytes that make
            no character.

        Raises:
            ValueError: when a number stands for no piece.
        """
        return self._decoder.decode([piece for piece in pieces_of(numbers, self._pieces) if piece])

    def pieces(self, text: str) -> list[str]:
        """The pieces of a text, to be looked at; a piece that ends inside a character has a �.

        Args:
            text: any text.
        """
        return [self.decode([number]) for number in self.encode(text)]


def _cutter(on_bytes: bool) -> pre_tokenizers.PreTokenizer:
    """What cuts a text into words before pairs are merged, and writes bytes as signs if wanted."""
    cut = pre_tokenizers.Split(Regex(WORDS), "isolated")
    if not on_bytes:
        return cut
    to_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return pre_tokenizers.Sequence([cut, to_bytes])


def without_surrogates(text: str) -> str:
    """The text with � for each lone surrogate, which is half of a character and cannot be encoded.

    Args:
        text: any text.
    """
    return _SURROGATES.sub(UNKNOWN_SIGN, text)


def merges_of(tokenizer: Tokenizer) -> list[Pair]:
    """The merges that a tokenizer of the tokenizers library has learnt, in order.

    Args:
        tokenizer: a ``tokenizers.Tokenizer`` with a BPE model.
    """
    return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
