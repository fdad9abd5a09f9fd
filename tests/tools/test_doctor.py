"""What the doctor says about machines that this one is not."""

import json
import sys
from collections import namedtuple
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from dlbook.tools import doctor
from dlbook.tools.cli import main

GOOD = {"tensorflow": "2.21.0", "seconds": 3.0, "gpus": [], "keras": "3.15.1"}
GOOD["keras_settings"] = {
    "backend": "tensorflow",
    "floatx": "float32",
    "image_data_format": "channels_last",
    "epsilon": 1e-7,
}


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> dict:
    """The answer that TensorFlow gives, without asking it: importing it takes seconds."""
    answer = dict(GOOD)
    monkeypatch.setattr(doctor, "probe_tensorflow", lambda: answer)
    return answer


def statuses(findings: list[doctor.Finding]) -> list[str]:
    return [finding.status for finding in findings]


def test_a_good_machine_ends_with_0(probe: dict, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path))
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "no faults" in result.output
    assert "DLBOOK_DATA=stand-in" in result.output


def test_json_has_every_finding(probe: dict) -> None:
    result = CliRunner().invoke(main, ["doctor", "--json"])
    findings = json.loads(result.output)
    names = [finding["name"] for finding in findings]
    assert {"Python", "TensorFlow", "GPU", "data mnist", "Jupyter kernel", "byte code"} < set(names)
    assert all(set(f) == {"status", "name", "text", "remedy"} for f in findings)


def test_every_fault_and_note_has_a_remedy_and_a_fault_ends_with_1(probe: dict) -> None:
    probe.clear()
    probe["error"] = "No module named 'tensorflow'"
    result = CliRunner().invoke(main, ["doctor", "--json"])
    assert result.exit_code == 1
    bad = [finding for finding in json.loads(result.output) if finding["status"] != "ok"]
    assert all(finding["remedy"] for finding in bad)
    assert "TensorFlow" in [finding["name"] for finding in bad]
    text = CliRunner().invoke(main, ["doctor"]).output
    assert "No module named 'tensorflow'" in text
    assert f"→ {sys.executable} -m pip install -e ." in text


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 10, 1), "fault"), ((3, 11, 0), "ok"), ((3, 13, 9), "ok"), ((3, 14, 0), "fault")],
)
def test_python(version: tuple[int, int, int], status: str) -> None:
    assert doctor.python_finding(version).status == status


def test_the_probe_survives_a_tensorflow_that_does_not(tmp_path: Path) -> None:
    def python(body: str) -> str:
        script = tmp_path / "python"
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        return str(script)

    assert doctor.probe_tensorflow(python("echo 'ImportError: no x' >&2; exit 1")) == {
        "error": "ImportError: no x"
    }
    assert "status -11" in doctor.probe_tensorflow(python("kill -SEGV $$"))["error"]
    noisy = python('echo log line >&2; echo log line; echo \'{"tensorflow": "2"}\'')
    assert doctor.probe_tensorflow(noisy) == {"tensorflow": "2"}
    assert "error" in doctor.probe_tensorflow(str(tmp_path / "nothing"))


def keras_findings(**settings) -> list[doctor.Finding]:
    changed = {**GOOD["keras_settings"], **settings}
    return doctor.tensorflow_findings({**GOOD, "keras_settings": changed})


def test_keras_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert statuses(keras_findings()) == ["ok", "ok"]
    last = keras_findings(backend="jax")[-1]
    assert last.status == "fault"
    assert "keras.json" in last.text
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert "KERAS_BACKEND" in keras_findings(backend="jax")[-1].text
    broken = {"tensorflow": "2.21.0", "seconds": 3.0, "keras_error": "ImportError: jax"}
    assert statuses(doctor.tensorflow_findings(broken)) == ["ok", "fault"]


def test_a_keras_file_that_sets_other_numbers_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A real file, read by a real Keras."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    settings = {"floatx": "float64", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    answer = doctor.probe_tensorflow()
    assert answer.keys() >= {"tensorflow", "keras", "gpus", "seconds"}
    assert answer["keras_settings"].keys() == GOOD["keras_settings"].keys()
    last = doctor.tensorflow_findings(answer)[-1]
    assert (last.status, last.name) == ("note", "Keras settings")
    for part in ("float64", "channels_first", "float32", str(tmp_path / "keras.json")):
        assert part in last.text
    assert "epsilon" not in last.text


@pytest.mark.parametrize(
    ("gpus", "system", "nvidia", "status", "said"),
    [
        (["A100"], "Linux", True, "ok", "A100"),
        ([], "Linux", False, "ok", "CPU"),
        ([], "Linux", True, "note", "[gpu]"),
        ([], "Windows", True, "note", "WSL2"),
        ([], "Darwin", False, "ok", "CPU"),
    ],
)
def test_gpu(gpus: list[str], system: str, nvidia: bool, status: str, said: str) -> None:
    finding = doctor.gpu_finding({"gpus": gpus}, system, nvidia)
    assert finding.status == status
    assert said in finding.text + finding.remedy


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = namedtuple("memory", "total available")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(8e9, 1e9))
    assert doctor.memory_finding().status == "note"
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(8e9, 5e9))
    assert doctor.memory_finding().status == "ok"


def test_thread_limits_are_named() -> None:
    finding = doctor.threads_finding({"OMP_NUM_THREADS": "1"})
    assert (finding.status, finding.remedy) == ("note", "unset OMP_NUM_THREADS")
    assert doctor.threads_finding({}).status == "ok"


def test_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path / "not" / "yet"))
    assert statuses(doctor.cache_findings()) == ["ok"]
    assert not (tmp_path / "not").exists()
    usage = namedtuple("usage", "total used free")
    with monkeypatch.context() as patch:
        patch.setattr(doctor.shutil, "disk_usage", lambda path: usage(1e12, 1e12, 1e8))
        assert statuses(doctor.cache_findings()) == ["note"]
    with monkeypatch.context() as patch:
        patch.setattr(doctor, "can_write", lambda folder: False)
        assert statuses(doctor.cache_findings()) == ["fault"]
    (tmp_path / "file").touch()
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path / "file" / "inside"))
    assert statuses(doctor.cache_findings()) == ["fault"]


def test_missing_data_are_a_fault_only_in_real_mode(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path))
    monkeypatch.delenv("DLBOOK_DATA_DIR", raising=False)

    def mnist() -> doctor.Finding:
        return next(f for f in doctor.data_findings() if f.name == "data mnist")

    monkeypatch.setenv("DLBOOK_DATA", "auto")
    assert (mnist().status, mnist().remedy) == ("note", "dlbook data fetch mnist")
    monkeypatch.setenv("DLBOOK_DATA", "real")
    assert mnist().status == "fault"
    monkeypatch.setenv("DLBOOK_DATA", "reel")
    assert statuses(doctor.data_findings()) == ["fault"]
    monkeypatch.setenv("DLBOOK_DATA", "auto")
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(tmp_path / "nowhere"))
    assert statuses(doctor.data_findings()) == ["fault"]


def test_the_jupyter_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = tmp_path / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    for executable, status in (("python", "ok"), (sys.executable, "ok"), ("/x/python", "note")):
        spec.write_text(json.dumps({"argv": [executable], "display_name": "x", "language": "p"}))
        assert doctor.kernel_finding().status == status
    monkeypatch.setattr(doctor, "find_spec", lambda name: None)
    assert doctor.kernel_finding().status == "fault"
    assert doctor.tests_finding().status == "note"


def test_byte_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "tensorflow"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    finding = doctor.byte_code_finding({"PYTHONDONTWRITEBYTECODE": "1"})
    assert finding.status == "note"
    assert "PYTHONDONTWRITEBYTECODE" in finding.text
    assert finding.remedy.endswith(f"-m compileall -q -j 0 {tmp_path}")
    assert "PYTHONDONTWRITEBYTECODE" not in doctor.byte_code_finding({}).text
    compiled = folder / "__pycache__" / f"__init__.{sys.implementation.cache_tag}.pyc"
    compiled.parent.mkdir()
    compiled.touch()
    assert doctor.byte_code_finding({}).status == "ok"


@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii"])
def test_it_can_be_redirected_in_any_encoding(probe: dict, encoding: str) -> None:
    probe["keras_settings"] = {**probe["keras_settings"], "floatx": "float64"}
    result = CliRunner(charset=encoding).invoke(main, ["doctor"])
    assert result.exit_code == 0, result.exception
    assert "-> none needed" in result.output or "→ none needed" in result.output
