"""Progress: what is counted, how the time left is estimated, and the table."""

import re

import numpy as np
import pytest

from dlbook.train import progress as module
from dlbook.train.progress import Progress, plain_table, table_rows


class Display:
    """Keeps what it is told to show."""

    def __init__(self):
        self.shown = []

    def update(self, plain: str, rich: str) -> None:
        self.shown.append((plain, rich))

    @property
    def updates(self) -> list[tuple[float, str]]:
        """Share and line of each refresh."""
        bars = [(re.search(r'value="([\d.]+)"', rich), plain) for plain, rich in self.shown]
        return [(float(bar[1]), plain) for bar, plain in bars if bar]


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, as a list of one number that a test may change."""
    time = [100.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: time[0])
    return time


def make(monkeypatch: pytest.MonkeyPatch, *arguments, **settings) -> tuple[Progress, Display]:
    view = Display()
    monkeypatch.setattr(module, "in_notebook", lambda: True)
    monkeypatch.setattr(module, "_Display", lambda: view)
    return Progress(*arguments, **settings), view


def test_share_and_time_left(monkeypatch, now):
    progress, view = make(monkeypatch, 2, 10)
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    for batch in range(10):
        now[0] += 1
        progress.on_train_batch_end(batch, {"loss": 0.5})
    progress.on_epoch_end(0, {"loss": 0.5})
    assert [share for share, _ in view.updates] == pytest.approx(np.arange(1, 11) / 20)
    assert view.updates[0][1] == "epoch 1/2  step 1/10  0:00:19 left  loss 0.5000"
    assert view.updates[-1][1] == "epoch 1/2  step 10/10  0:00:10 left  loss 0.5000"
    progress.on_epoch_begin(1)
    now[0] += 1
    progress.on_train_batch_end(0, {"loss": 0.25})
    assert view.updates[-1] == (0.55, "epoch 2/2  step 1/10  0:00:09 left  loss 0.2500")


def test_it_is_not_refreshed_more_often_than_eyes_can_follow(monkeypatch, now):
    progress, view = make(monkeypatch, 1, 1000)
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    for batch in range(1000):
        now[0] += 0.001
        progress.on_train_batch_end(batch)
    assert 3 <= len(view.updates) <= 4


def test_several_steps_at_once_are_counted_and_the_missing_ones_are_not(monkeypatch, now):
    progress, _ = make(monkeypatch, 2, 10)
    progress.on_train_begin()
    for epoch in range(2):
        progress.on_epoch_begin(epoch)
        for last in (3, 7, 11):  # four steps each; the third has only two
            progress.on_train_batch_end(last)
        assert (progress.step, progress.batch) == (10 * (epoch + 1), 10)
        progress.on_epoch_end(epoch)


def test_a_resumed_run_counts_its_own_steps_only(monkeypatch, now):
    progress, view = make(monkeypatch, 4, 5)
    progress.on_train_begin()
    progress.on_epoch_begin(2)
    now[0] += 1
    progress.on_train_batch_end(0)
    assert view.updates[-1] == (0.1, "epoch 3/4  step 1/5  0:00:09 left")
    progress.on_epoch_end(2, {"loss": 1.0})
    progress.close()
    assert view.shown[-1][0].splitlines()[1].split()[:2] == ["3", "1.0000"]


def test_an_unknown_length_is_known_after_the_first_epoch(monkeypatch, now):
    progress, view = make(monkeypatch, 2, None)
    progress.on_train_begin()
    for epoch in range(2):
        progress.on_epoch_begin(epoch)
        for batch in range(4):
            now[0] += 1
            progress.on_train_batch_end(batch)
        progress.on_epoch_end(epoch)
    assert view.updates[0] == (0.0, "epoch 1/2  step 1  unknown time left")
    assert view.updates[-1] == (1.0, "epoch 2/2  step 4/4  0:00:00 left")


def test_the_logs_get_the_seconds_of_each_epoch(monkeypatch, now):
    progress, _ = make(monkeypatch, 1, 1)
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    now[0] += 2.5
    logs = {"loss": 0.5}
    progress.on_epoch_end(0, logs)
    assert logs == {"loss": 0.5, "seconds": 2.5}


def test_without_a_table_nothing_is_shown(monkeypatch, capsys):
    progress, view = make(monkeypatch, 1, 1, table=False)
    progress.on_train_begin()
    progress.on_epoch_begin(0)
    progress.on_train_batch_end(0, {"loss": 1.0})
    progress.on_epoch_end(0, {"loss": 1.0})
    progress.close()
    assert view.shown == []
    assert capsys.readouterr().out == ""


def test_a_failed_run_shows_the_epochs_that_it_finished(monkeypatch):
    progress, view = make(monkeypatch, 3, 1)
    progress.on_train_begin()
    progress.close()  # it failed in the first epoch
    assert view.shown[1:] == [("", "")]
    progress.on_epoch_begin(0)
    progress.on_epoch_end(0, {"loss": 1.0})
    progress.close()
    rows = [line.split()[:2] for line in view.shown[-1][0].splitlines()]
    assert rows == [["epoch", "loss"], ["1", "1.0000"]]


def test_columns_are_the_loss_then_the_metrics_and_training_before_validation():
    names = ["val_mae", "accuracy", "val_loss", "loss", "seconds", "mae"]
    header, row = table_rows({name: [1.23456] for name in names})
    assert header == [
        *["epoch", "loss", "accuracy", "mae", "validation loss", "validation mae", "seconds"]
    ]
    assert row == ["1", *["1.2346"] * 5, "1.2"]


@pytest.mark.parametrize("epochs", [1, 2, 11, 12, 13, 23, 24, 100, 301])
def test_the_table_has_a_dozen_rows_at_most_with_the_first_and_last_epoch(epochs: int):
    rows = table_rows({"loss": list(range(epochs)), "seconds": [0.0] * epochs})[1:]
    numbers = [int(row[0]) for row in rows]
    assert len(rows) <= 12
    assert (numbers[0], numbers[-1]) == (1, epochs)
    assert numbers == sorted(set(numbers))
    assert [float(row[1]) for row in rows] == [number - 1 for number in numbers]
    if epochs <= 12:
        assert len(rows) == epochs


def test_plain_tables_are_aligned_on_the_right():
    assert plain_table([["epoch", "loss"], ["1", "12.3456"]]) == "epoch     loss\n    1  12.3456"


def test_names_are_escaped_in_html(monkeypatch):
    import IPython.display

    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(data)

    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: Handle())
    monkeypatch.setattr(module, "in_notebook", lambda: True)
    progress = Progress(1, 1)
    progress.close()
    assert shown == []  # training failed before it began
    progress.on_train_begin()
    progress.refreshed -= 1
    progress.on_epoch_begin(0)
    progress.on_train_batch_end(0, {"a<b": 1.0})
    assert "a&lt;b" in shown[-1]["text/html"]
    assert re.search(r'<progress value="1.000" max="1" aria-label="[^"]+">', shown[-1]["text/html"])
    progress.on_epoch_end(0, {"a<b": 2.0})
    progress.close()
    assert "<th>a&lt;b</th>" in shown[-1]["text/html"]
    assert shown[-1]["text/plain"].split() == ["epoch", "a<b", "seconds", "1", "2.0000", "0.0"]
