"""The benchmark runs and prints its table. What it measures is no matter of this test."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "benchmarks" / "bench.py"


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed: extra bench")
def test_the_benchmark_prints_and_writes_a_table(tmp_path: Path):
    output = tmp_path / "table.md"
    done = subprocess.run(
        [sys.executable, SCRIPT, "--quick", "--rows", "xor", "--output", output],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert output.read_text(encoding="utf-8").strip() in done.stdout
    table = [line for line in done.stdout.splitlines() if line.startswith("|")]
    head, rule, row = ([cell.strip() for cell in line.strip("|").split("|")] for line in table)
    assert head[1:4] == ["Keras, ms", "PyTorch, ms", "PyTorch / Keras"]
    assert rule[1:4] == ["---:"] * 3
    assert row[0].startswith("XOR net")
    ours, theirs, ratio = (float(cell.strip("*")) for cell in row[1:4])
    assert min(ours, theirs, ratio) > 0
    assert "threads on both sides" in done.stdout


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed: extra bench")
def test_an_unknown_row_is_refused():
    done = subprocess.run(
        [sys.executable, SCRIPT, "--rows", "none"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 2
    assert "unknown rows none: choose from xor, dense" in done.stderr


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed: extra bench")
def test_the_dqn_benchmark_prints_steps_and_samples():
    script = SCRIPT.with_name("bench_dqn.py")
    done = subprocess.run(
        [sys.executable, script, "--quick"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    rows = [line.strip("|").split("|") for line in done.stdout.splitlines() if "**" in line]
    assert [row[0].strip() for row in rows] == ["environment steps", "samples learned"]
    assert all(float(row[3].strip(" *").replace(",", "")) > 1 for row in rows)
