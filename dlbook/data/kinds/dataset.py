"""What a loader returns: small frozen objects that hold arrays and say where they come from."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

STAND_IN = "stand-in"

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DataSet:
    """Arrays and their origin.

    The arrays are read-only, so a notebook cell that is run twice cannot spoil them.

    Args:
        name: the word of the registry, as "mnist".
        title: the name that a reader knows, as "MNIST".
        source: "mirror folder", "cache", "download", "stand-in", or the library that ships it.
        licence: the terms.
        citation: the paper or person to name.
        notes: what else a reader should know, as why there is a stand-in.
    """

    name: str
    title: str
    source: str
    licence: str
    citation: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                object.__setattr__(self, field.name, read_only(value))

    @property
    def is_stand_in(self) -> bool:
        """Whether these data only take the place of the real ones."""
        return self.source == STAND_IN

    def pick(self, real: Any, stand_in: Any) -> Any:
        """One of two settings: ``stand_in`` where these data are a stand-in, else ``real``.

        A chapter on stand-in data tells the same story in seconds, so its nets are smaller and
        its runs shorter: ``epochs = digits.pick(14, 2)``.
        """
        return stand_in if self.is_stand_in else real

    def sizes(self) -> str:
        """How much there is, in words."""
        raise NotImplementedError

    def describe(self) -> str:
        """What these data are, where they come from and under which terms, in a few lines."""
        head = f"A STAND-IN for {self.title}, not the real data" if self.is_stand_in else self.title
        lines = [
            f"{head}: {self.sizes()}",
            f"source:  {self.source}",
            f"licence: {self.licence}",
            f"cite:    {self.citation}",
            *(f"note:    {note}" for note in self.notes),
        ]
        if self.is_stand_in:
            lines.append(
                f"for the real data: `dlbook data fetch {self.name}`, or DLBOOK_DATA_DIR=<folder> "
                "with a mirror folder"
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.sizes()}, source={self.source!r})"


def share_of(validation: int, real_size: int, classes: int) -> float:
    """The share of the real set that ``validation`` entries are; both parts need every class."""
    if not classes <= validation <= real_size - classes:
        raise ValueError(
            f"validation must be from {classes} to {real_size - classes:,}, got {validation:,}"
        )
    return validation / real_size


def stratified(labels: np.ndarray, held_out: int, seed: int) -> Pair:
    """Sorted indices of the kept and of the held-out entries, each class in its proportion."""
    from sklearn.model_selection import train_test_split

    kept, held = train_test_split(
        np.arange(len(labels)), test_size=held_out, random_state=seed, stratify=labels
    )
    return np.sort(kept), np.sort(held)


def take(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> Pair:
    """Some rows of both arrays, read-only."""
    return read_only(x[rows]), read_only(y[rows])


def read_only(array: np.ndarray) -> np.ndarray:
    """A view of the array that cannot be written to."""
    array = array.view()
    array.flags.writeable = False
    return array
