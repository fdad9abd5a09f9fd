"""What chapters about text share: vocabularies, batches of like length, co-occurrence vectors."""

from dlbook.text.batching import (
    Group,
    batches_by_length,
    group_by_length,
    padded_batches,
    restore_order,
)
from dlbook.text.cooccurrence import cooccurrence_vectors
from dlbook.text.vocabulary import CharacterVocabulary

__all__ = [
    "CharacterVocabulary",
    "Group",
    "batches_by_length",
    "cooccurrence_vectors",
    "group_by_length",
    "padded_batches",
    "restore_order",
]
