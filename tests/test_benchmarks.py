"""The benchmarks run and print their tables. What they measure is no matter of these tests."""

import importlib.util
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parent / "benchmarks" / "bench.py"
needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="PyTorch is not installed: extra bench"
)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        # PyTorch's threads wait in busy loops: a hundred times slower where cores are shared
        env={**os.environ, "OMP_WAIT_POLICY": "passive"},
        capture_output=True,
        text=True,
        timeout=600,
    )


def cells(text: str) -> list[list[str]]:
    """The rows of all tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def number(cell: str) -> float:
    return float(cell.strip("*").replace(",", ""))


@needs_torch
def test_the_benchmark_prints_and_writes_a_table(tmp_path: Path):
    output = tmp_path / "table.md"
    done = run("--quick", "--rows", "xor", "--output", output)
    assert done.returncode == 0, done.stderr
    assert output.read_text(encoding="utf-8").strip() in done.stdout
    head, rule, row = cells(done.stdout)
    assert head[1:4] == ["Keras, ms", "PyTorch, ms", "PyTorch / Keras"]
    assert rule[1:4] == ["---:"] * 3
    assert row[0].startswith("XOR net")
    assert min(number(cell) for cell in row[1:4]) > 0
    assert "threads on both sides" in done.stdout


@needs_torch
@pytest.mark.parametrize(
    ("name", "head", "titles"),
    [
        ("rnn", "training step", ["two plain recurrent layers"]),
        ("lstm", "training step", ["LSTM"]),
        ("bert", "training step", ["BERT"]),
        ("gpt", "training step", ["GPT"]),
        ("translation", "training step", ["Transformer of 2 + 2 blocks"]),
        ("vae", "training step", ["VAE"]),
        ("gan", "training step", ["DCGAN"]),
        ("unet", "training step", ["U-Net for diffusion"]),
        ("nerf", "radiance field, training", ["voxel grid", "MLP"]),
        ("gcn", "training step", ["GCN", "GCN"]),
        ("word2vec", "1,000 words", ["word2vec, skip-gram", "word2vec, cbow"]),
        ("generation", "GPT, a new character", ["1 text of 64 characters"]),
        ("search", "beam search, a new token", ["4 sentences, 4 beams"]),
        ("dqn", "DQN, in a second", ["environment steps", "samples learned"]),
    ],
)
def test_every_kind_of_model_has_its_benchmark(name: str, head: str, titles: list[str]):
    if name == "word2vec" and find_spec("gensim") is None:
        pytest.skip("gensim is not installed: extra bench")
    done = run("--quick", "--rows", name)
    assert done.returncode == 0, done.stderr
    first, _, *rows = cells(done.stdout)
    assert first[0] == head
    assert len(rows) == len(titles)
    for row, title in zip(rows, titles, strict=True):
        assert row[0].startswith(title)
        assert min(number(cell) for cell in row[1:4]) > 0


@needs_torch
def test_models_of_different_size_are_not_compared(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    import bench_steps

    row = bench_steps.ROWS["xor"]
    with pytest.raises(ValueError, match="XOR net, 4 × 2: Keras has 17 parameters, PyTorch 17"):
        bench_steps.sides(row._replace(torch_has_more=1), 50)


@needs_torch
def test_an_unknown_row_is_refused():
    done = run("--rows", "none")
    assert done.returncode == 2
    assert "unknown rows none: choose from xor, dense" in done.stderr


def test_numbers_that_spread_widely_are_judged_by_their_logarithms():
    path = SCRIPT.with_name("floors.py")
    spec = importlib.util.spec_from_file_location("floors", path)
    floors = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(floors)
    narrow = np.array([0.89, 0.9, 0.91])
    assert floors.distance_in_spreads(narrow, 0.87) == pytest.approx(3.0)
    wide = np.array([0.1, 1.0, 10.0])  # the deviation is larger than the mean
    assert floors.distance_in_spreads(wide, 0.001) == pytest.approx(3.0)
    assert floors.distance_in_spreads(-wide, -20) == pytest.approx(3.02, abs=0.1)
