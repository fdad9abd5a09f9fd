"""What a loader returns: small frozen objects that hold arrays and say where they come from."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from dlbook.data.files.locate import STAND_IN

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
                object.__setattr__(self, field.name, _read_only(value))

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


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ImageData(DataSet):
    """Pictures in classes, in a training and a test part.

    Args:
        x_train: (pictures, height, width) or (pictures, height, width, channels), uint8, 0 to 255.
        y_train: (pictures,), int32: the class of each.
        x_test: as ``x_train``.
        y_test: as ``y_train``.
        class_names: one for each class.
        originals: (training pictures,): pictures with the same number were made from the same
            original, so a split must keep them together. ``None``: each is its own original.
        real_train_size: the training pictures of the real set, where this is a stand-in.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    originals: np.ndarray | None = None
    real_train_size: int | None = None

    def sizes(self) -> str:
        size = "×".join(str(n) for n in self.x_train.shape[1:])
        return (
            f"{len(self.x_train):,} training and {len(self.x_test):,} test pictures "
            f"of {size} pixels, {len(self.class_names)} classes"
        )

    def train_validation_split(self, validation: int = 5000, seed: int = 0) -> tuple[Pair, Pair]:
        """Holds out a part of the training pictures, each class in its proportion.

        Args:
            validation: how many pictures of the real set to hold out. A stand-in holds out the
                same share: of 2,400 pictures that stand for 60,000, one where that has 25.
            seed: another seed, another choice.

        Returns:
            ((x_train, y_train), (x_validation, y_validation)), in the order of ``x_train``.

        Raises:
            ValueError: when one of the two parts would lack pictures.
        """
        real_size = self.real_train_size or len(self.x_train)
        classes = len(self.class_names)
        if not classes <= validation <= real_size - classes:
            raise ValueError(
                f"validation must be from {classes} to {real_size - classes:,}, got {validation:,}"
            )
        share = validation / real_size
        if self.originals is None:
            kept, held = _stratified(self.y_train, round(share * len(self.y_train)), seed)
        else:
            numbers, first = np.unique(self.originals, return_index=True)
            count = max(round(share * len(numbers)), classes)
            _, held_numbers = _stratified(self.y_train[first], count, seed)
            inside = np.isin(self.originals, numbers[held_numbers])
            kept, held = np.flatnonzero(~inside), np.flatnonzero(inside)
        return _take(self.x_train, self.y_train, kept), _take(self.x_train, self.y_train, held)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TableData(DataSet):
    """Rows of numbers in classes.

    Args:
        x: (rows, features), float32.
        y: (rows,), int32: the class of each row.
        feature_names: one for each column, with its unit.
        class_names: one for each class.
    """

    x: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]

    def sizes(self) -> str:
        rows, columns = self.x.shape
        return f"{rows:,} rows, {columns} features, {len(self.class_names)} classes"

    def split(self, test_fraction: float = 0.2, seed: int = 0) -> tuple[Pair, Pair]:
        """Splits the rows, each class in its proportion.

        Args:
            test_fraction: the share of the test part, between 0 and 1.
            seed: another seed, another choice.

        Returns:
            ((x_train, y_train), (x_test, y_test)), in the order of ``x``.

        Raises:
            ValueError: when one of the two parts would lack a class.
        """
        if not 0 < test_fraction < 1:
            raise ValueError(f"test_fraction must be between 0 and 1, got {test_fraction}")
        kept, held = _stratified(self.y, round(test_fraction * len(self.y)), seed)
        return _take(self.x, self.y, kept), _take(self.x, self.y, held)

    def folds(self, k: int = 10, seed: int = 0) -> list[Pair]:
        """Cuts the rows into k test parts for cross-validation, each class in its proportion.

        Args:
            k: how many folds, from 2 to the number of rows in the smallest class.
            seed: another seed, other folds.

        Returns:
            k pairs (training rows, test rows) of indices into ``x``; every row is in exactly one
            test part.

        Raises:
            ValueError: when there are too few rows for k folds.
        """
        from sklearn.model_selection import StratifiedKFold

        smallest = int(np.bincount(self.y).min())
        if not 2 <= k <= smallest:  # scikit-learn only warns about it
            raise ValueError(f"k must be from 2 to {smallest}, got {k}")
        return list(StratifiedKFold(k, shuffle=True, random_state=seed).split(self.x, self.y))


def _stratified(labels: np.ndarray, held_out: int, seed: int) -> Pair:
    """Sorted indices of the kept and of the held-out entries."""
    from sklearn.model_selection import train_test_split

    kept, held = train_test_split(
        np.arange(len(labels)), test_size=held_out, random_state=seed, stratify=labels
    )
    return np.sort(kept), np.sort(held)


def _take(x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> Pair:
    return _read_only(x[rows]), _read_only(y[rows])


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.view()
    array.flags.writeable = False
    return array
