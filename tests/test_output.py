"""Lines in a notebook, in a terminal, and in a file whose encoding has few signs."""

import io
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from dlbook import output


@pytest.mark.parametrize(
    ("shell", "expected"),
    [(None, False), (SimpleNamespace(), False), (SimpleNamespace(kernel=object()), True)],
    ids=["plain Python", "IPython in a terminal", "a kernel"],
)
def test_in_notebook(shell, expected: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert output.in_notebook() is expected


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "✓ a → b ≥ 1, 人"),
        ("cp1252", "ok a -> b >= 1, ?"),
        ("gbk", "ok a → b ≥ 1, 人"),
        ("ascii", "ok a -> b >= 1, ?"),
    ],
)
def test_signs_that_an_encoding_lacks_become_plain_ones(
    encoding: str, expected: str, monkeypatch: pytest.MonkeyPatch
):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding, newline=""))
    output.allow_every_sign()
    print("✓ a → b ≥ 1, 人", end="", flush=True)
    assert written.getvalue().decode(encoding) == expected


def test_what_the_user_has_chosen_for_lacking_signs_stays(monkeypatch: pytest.MonkeyPatch):
    stream = io.TextIOWrapper(io.BytesIO(), "ascii", errors="ignore")
    monkeypatch.setattr(sys, "stdout", stream)
    output.allow_every_sign()
    assert stream.errors == "ignore"


def test_a_script_whose_output_is_redirected_prints_its_checks():
    script = "import dlbook; print('→'); dlbook.check('a', 1, at_least=0)"
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, timeout=60
    )
    assert done.stdout.split() == b"-> ok a: 1, at least 0".split(), done.stderr
