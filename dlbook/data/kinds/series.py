"""Series: numbers measured one after the other, in equal steps of time."""

from dataclasses import dataclass

import numpy as np

from dlbook.data.kinds.dataset import DataSet


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SeriesData(DataSet):
    """Numbers measured in equal steps of time, in a training, a validation and a test part.

    The parts follow each other in time, because a forecast is made for a future that nobody has
    seen: what is tried on the test part may be learnt only from what came before it.

    Args:
        values: (steps, columns), float32; the first column is the one to forecast.
        times: (steps,), datetime64: when each was measured, in equal steps but for what ``notes``
            says.
        columns: the name of each column.
        unit: the unit of the first column.
        period: steps after which the main cycle begins anew.
        step: what one step is, as "hour".
        train_end: steps of the training part, which begins at step 0.
        validation_end: the step with which the test part begins.
        test_end: the step after its last one.
    """

    values: np.ndarray
    times: np.ndarray
    columns: tuple[str, ...]
    unit: str
    period: int
    step: str
    train_end: int
    validation_end: int
    test_end: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.values.ndim != 2 or not np.isfinite(self.values).all():
            raise ValueError("values must be finite numbers of the shape (steps, columns)")
        steps, count = self.values.shape
        if self.times.shape != (steps,) or len(self.columns) != count:
            raise ValueError(
                f"values has {steps:,} steps and {count} columns, times {len(self.times):,} and "
                f"columns {len(self.columns)}"
            )
        if not 0 < self.train_end < self.validation_end < self.test_end <= steps:
            raise ValueError("the parts must follow each other and end within the series")

    def sizes(self) -> str:
        parts = (
            self.train_end,
            self.validation_end - self.train_end,
            self.test_end - self.validation_end,
        )
        columns = f"{len(self.columns)} column{'s' * (len(self.columns) > 1)}"
        return (
            f"{len(self.values):,} {self.step}s, {columns}; {self.step}s to "
            f"train, validate, test: {', '.join(f'{part:,}' for part in parts)}"
        )
