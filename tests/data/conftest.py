"""A clean environment, a misbehaving host, and a way to load from another process."""

import dataclasses
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from misbehaving_host import Host, make_collection, make_file

from dlbook.data.files import download
from dlbook.data.files.types import RemoteFile

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    """No setting of the machine reaches a test, and no test reaches the machine's cache."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name in ("DLBOOK_DATA", "DLBOOK_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def impatient(monkeypatch):
    for name, value in {"CONNECT": 0.2, "READ": 0.2}.items():
        monkeypatch.setattr(download, name, value)


@pytest.fixture
def cache(tmp_path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def host():
    host = Host()
    yield host
    host.close()


@pytest.fixture
def other_host():
    host = Host()
    yield host
    host.close()


@pytest.fixture
def refusing() -> str:
    """The address of a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/good/file.bin"


@pytest.fixture
def toy():
    """Makes a collection of one file from its addresses."""
    return lambda *urls: make_collection(make_file(*urls))


@pytest.fixture
def in_new_process(cache, tmp_path):
    """Starts `locate` in another process; it prints the source or the error as JSON."""
    script = tmp_path / "locate.py"
    script.write_text(
        "import json, os, sys\n"
        "from dlbook.data.files.locate import locate\n"
        "from dlbook.data.files.types import Collection, DataUnavailableError, RemoteFile\n"
        "import filelock, platformdirs, requests, rich.console, rich.progress\n"
        "task = json.loads(sys.argv[1])\n"
        "exec(task['first'])\n"
        "file = RemoteFile(**task['file'])\n"
        "toy = Collection('toy', 'Toy data', (file,), '', '', '')\n"
        "try:\n"
        "    found = locate(toy)\n"
        "    print(json.dumps({'source': found.source, 'path': str(found.paths[file.path])}))\n"
        "except DataUnavailableError as error:\n"
        "    print(json.dumps({'error': str(error)}))\n"
    )
    started = []

    def start(file: RemoteFile, first: str = "", **environment) -> subprocess.Popen:
        task = {
            "first": first,
            "file": dataclasses.asdict(file),
        }
        process = subprocess.Popen(
            [sys.executable, str(script), json.dumps(task)],
            cwd=ROOT,
            env=os.environ | {"DLBOOK_CACHE": str(cache), "PYTHONPATH": str(ROOT)} | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
