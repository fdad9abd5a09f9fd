"""Live progress of a training run, and the table that stays when it has ended."""

import html
import time
from datetime import timedelta
from typing import Any

import keras

from dlbook.runtime import in_notebook

_REFRESH_SECONDS = 0.25
_MOST_ROWS = 12
_SECONDS = "seconds"


class Progress(keras.callbacks.Callback):
    """Shows how far training is and how long it will take; ends as one compact table.

    In a notebook it is one output that is updated and becomes the table. Elsewhere only the table
    is printed. It adds the seconds of an epoch to its logs, so that Keras's history keeps them;
    put it before the history.
    """

    def __init__(self, epochs: int, steps: int | None, table: bool = True):
        super().__init__()
        self.epochs, self.steps = epochs, steps  # None when the data set does not know its batches
        self.first_epoch: int | None = None  # known when it begins: a resumed run begins later
        self.history: dict[str, list[float]] = {}
        self.table = table
        self.display = _Display() if table and in_notebook() else None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.began = self.refreshed = time.perf_counter()
        self.step = 0
        if self.display:
            self.display.update("starting", "starting")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.first_epoch is None:
            self.first_epoch = epoch
        self.epoch, self.batch, self.epoch_began = epoch, 0, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # several batches at once with steps_per_execution, of which the last may be missing
        done = batch + 1 if self.steps is None else min(batch + 1, self.steps)
        self.step += done - self.batch
        self.batch = done
        now = time.perf_counter()
        if self.display and now - self.refreshed >= _REFRESH_SECONDS:
            self.refreshed = now
            self._refresh(now - self.began, logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.steps is None:
            self.steps = self.batch
        logs = {} if logs is None else logs
        logs[_SECONDS] = time.perf_counter() - self.epoch_began
        for name, value in logs.items():
            self.history.setdefault(name, []).append(float(value))

    def close(self) -> None:
        """End the live display; called after training, also when it failed."""
        rows = table_rows(self.history, self.first_epoch) if self.history else []
        if self.display:
            self.display.update(plain_table(rows), html_table(rows))
        elif self.table and rows:
            print(plain_table(rows))

    def _refresh(self, seconds: float, logs: dict[str, Any]) -> None:
        share, left, of_steps = 0.0, "unknown time", ""
        if self.steps:  # else it is the first epoch of a data set of unknown length
            share = min(1.0, self.step / (self.steps * (self.epochs - self.first_epoch)))
            left = str(timedelta(seconds=round(seconds * (1 - share) / share)))
            of_steps = f"/{self.steps}"
        place = f"epoch {self.epoch + 1}/{self.epochs}  step {self.batch}{of_steps}  {left} left"
        line = "  ".join([place, *(f"{name} {float(value):.4f}" for name, value in logs.items())])
        bar = f'<progress value="{share:.3f}" max="1" aria-label="training progress"></progress>'
        self.display.update(line, f"{bar} <code>{html.escape(line)}</code>")


def table_rows(history: dict[str, list[float]], first_epoch: int = 0) -> list[list[str]]:
    """The table of a run: a header and at most a dozen epochs, the first and last among them."""
    # the loss first, then the metrics; training before validation
    names = sorted(
        (name for name in history if name != _SECONDS),
        key=lambda name: (name.startswith("val_"), not name.endswith("loss"), name),
    )
    epochs = len(history[_SECONDS])
    step = max(1, -(-(epochs - 1) // (_MOST_ROWS - 1)))
    shown = [*range(0, epochs - 1, step), epochs - 1]
    rows = [["epoch", *(name.replace("val_", "validation ") for name in names), _SECONDS]]
    for index in shown:
        values = [f"{history[name][index]:.4f}" for name in names]
        rows.append([str(first_epoch + index + 1), *values, f"{history[_SECONDS][index]:.1f}"])
    return rows


def plain_table(rows: list[list[str]]) -> str:
    """Rows as right-aligned text columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def html_table(rows: list[list[str]]) -> str:
    """Rows as an HTML table, the first of them its header."""
    if not rows:
        return ""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows[1:]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class _Display:
    """One output of a notebook that is updated in place, so nothing but the table is stored."""

    def __init__(self) -> None:
        self.handle: Any = None

    def update(self, plain: str, rich: str) -> None:
        from IPython.display import display

        bundle = {"text/plain": plain, "text/html": rich}
        if self.handle:
            self.handle.update(bundle, raw=True)
        elif plain:  # else training failed before it began
            self.handle = display(bundle, raw=True, display_id=True)
