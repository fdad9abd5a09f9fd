"""Rows of numbers in classes."""

from dataclasses import dataclass

import numpy as np

from dlbook.data.kinds.dataset import DataSet, Pair, stratified, take


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
        kept, held = stratified(self.y, round(test_fraction * len(self.y)), seed)
        return take(self.x, self.y, kept), take(self.x, self.y, held)
