"""What the doctor says about machines that this one is not."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner

from dlbook.tools import doctor
from dlbook.tools.cli import main

GOOD = {"text": "2 CPU cores, 8 GB of memory", "gpu": False, "changed": []}
GOOD["backend"] = "tensorflow"


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> dict:
    """The answer that TensorFlow gives, without asking it: importing it takes seconds."""
    answer = dict(GOOD)
    monkeypatch.setattr(doctor, "probe_machine", lambda: answer)
    return answer


def statuses(findings: Iterable[doctor.Finding]) -> list[str]:
    return [finding.status for finding in findings]


def test_a_good_machine_ends_with_0(probe: dict, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path))
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "no faults" in result.output
    assert "DLBOOK_DATA=stand-in" in result.output


def test_everything_is_looked_at(probe: dict) -> None:
    names = [finding.name for finding in doctor.examine()]
    assert names == ["Python", "machine", "data setting", "cache", "data"]


def test_every_fault_and_note_has_a_remedy_and_a_fault_ends_with_1(probe: dict) -> None:
    probe.clear()
    probe["error"] = "No module named 'tensorflow'"
    bad = [finding for finding in doctor.examine() if finding.status != "ok"]
    assert all(finding.remedy for finding in bad)
    assert "TensorFlow" in [finding.name for finding in bad]
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1
    assert "No module named 'tensorflow'" in result.output
    assert f"→ {sys.executable} -m pip install -e ." in result.output
    assert "KERAS_BACKEND" in result.output


def test_the_probe_survives_a_tensorflow_that_does_not(tmp_path: Path) -> None:
    def python(body: str) -> str:
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        return str(script)

    assert doctor.probe_machine(python("echo 'ImportError: no x' >&2; exit 1")) == {
        "error": "ImportError: no x"
    }
    assert "ended with -11" in doctor.probe_machine(python("kill -SEGV $$"))["error"]
    noisy = python('echo log line >&2; echo log line; echo \'{"versions": "2"}\'')
    assert doctor.probe_machine(noisy) == {"versions": "2"}


def test_keras_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(doctor.shutil, "which", lambda program: None)
    assert statuses(doctor.machine_findings(GOOD)) == ["ok"]
    _, last = doctor.machine_findings({**GOOD, "backend": "jax"})
    assert last.status == "fault"
    assert "keras.json" in last.text
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    _, last = doctor.machine_findings({**GOOD, "backend": "jax"})
    assert "KERAS_BACKEND" in last.text


def test_a_keras_file_that_sets_other_numbers_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A real file, read by a real Keras."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    settings = {"floatx": "float64", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    answer = doctor.probe_machine()
    assert answer.keys() == GOOD.keys()
    assert "CPU cores" in answer["text"]
    found = list(doctor.machine_findings(answer))[-2:]
    for finding, parts in zip(
        found, [("float64", "float32"), ("channels_first", "channels_last")], strict=True
    ):
        assert (finding.status, finding.name) == ("note", "Keras settings")
        assert all(part in finding.text for part in parts)
        assert str(tmp_path / "keras.json") in finding.remedy


def test_a_package_that_is_missing_is_a_fault(probe: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "dlbook 0.1.0 requires rich, which is not installed.\nother 1 requires more\n"
    done = subprocess.CompletedProcess([], 1, said, "")
    monkeypatch.setattr(doctor.subprocess, "run", lambda *args, **settings: done)
    (fault,) = [finding for finding in doctor.examine() if finding.name == "packages"]
    assert (fault.status, fault.text) == ("fault", said.splitlines()[0])
    assert "pip install -e ." in fault.remedy


@pytest.mark.parametrize(
    ("gpu", "nvidia", "status", "said"),
    [
        (True, True, "ok", "CPU"),
        (False, False, "ok", "CPU"),
        (False, True, "note", "[gpu]"),
    ],
)
def test_gpu(
    gpu: bool, nvidia: bool, status: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = "/usr/bin/nvidia-smi" if nvidia else None
    monkeypatch.setattr(doctor.shutil, "which", lambda name: program)
    *_, finding = doctor.machine_findings({**GOOD, "gpu": gpu})
    assert finding.status == status
    assert said in finding.text + finding.remedy


def test_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def first_two() -> list[str]:
        return statuses(doctor.data_findings())[:2]

    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path / "not" / "yet"))
    assert first_two() == ["ok", "ok"]
    assert not (tmp_path / "not").exists()
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 0))
    assert first_two() == ["ok", "fault"]  # no room
    monkeypatch.undo()
    (tmp_path / "file").touch()
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path / "file" / "inside"))
    assert first_two() == ["ok", "fault"]
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path / "file"))
    assert first_two() == ["fault"]


def test_missing_data_are_a_fault_only_in_real_mode(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path))
    monkeypatch.delenv("DLBOOK_DATA_DIR", raising=False)

    def finding() -> doctor.Finding:
        return next(f for f in doctor.data_findings() if f.name == "data")

    monkeypatch.setenv("DLBOOK_DATA", "auto")
    assert finding().status == "note"
    assert re.match(r"dlbook data fetch .*\bmnist\b", finding().remedy)
    monkeypatch.setenv("DLBOOK_DATA", "real")
    assert finding().status == "fault"
    monkeypatch.setenv("DLBOOK_DATA", "reel")
    assert statuses(doctor.data_findings()) == ["fault"]
    monkeypatch.setenv("DLBOOK_DATA", "auto")
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(tmp_path / "nowhere"))
    assert statuses(doctor.data_findings()) == ["fault"]


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii"])
def test_it_can_be_redirected_in_any_encoding(probe: dict, encoding: str) -> None:
    probe["changed"] = ["Keras's floatx is float32 for this session, not float64"]
    result = CliRunner(charset=encoding).invoke(main, ["doctor"])
    assert result.exit_code == 0, result.exception
    assert "-> none needed" in result.output or "→ none needed" in result.output
