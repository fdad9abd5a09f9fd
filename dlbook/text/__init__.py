"""What chapters about text share: vocabularies, n-grams, batches of like length, word vectors."""

from dlbook.text.batching import (
    Group,
    batches_by_length,
    group_by_length,
    padded_batches,
    restore_order,
)
from dlbook.text.byte_pairs import BytePairVocabulary, count_words, learn_merges, merge, merges_of
from dlbook.text.cooccurrence import cooccurrence_vectors
from dlbook.text.kneser_ney import KneserNey
from dlbook.text.ngrams import hashed_ngrams
from dlbook.text.vocabulary import (
    PADDING,
    UNKNOWN,
    CharacterVocabulary,
    Vocabulary,
    WordVocabulary,
)
from dlbook.text.word_pieces import WordPieceVocabulary

__all__ = [
    "PADDING",
    "UNKNOWN",
    "BytePairVocabulary",
    "CharacterVocabulary",
    "Group",
    "KneserNey",
    "Vocabulary",
    "WordPieceVocabulary",
    "WordVocabulary",
    "batches_by_length",
    "cooccurrence_vectors",
    "count_words",
    "group_by_length",
    "hashed_ngrams",
    "learn_merges",
    "merge",
    "merges_of",
    "padded_batches",
    "restore_order",
]
