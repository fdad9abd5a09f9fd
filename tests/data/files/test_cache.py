"""The download cache: damaged, read-only, full, and shared by several processes."""

import json
import os
import shutil
import stat
import sys
import tempfile
import time
from pathlib import Path

import filelock
import platformdirs
import pytest
from misbehaving_host import CONTENT, make_file, put

from dlbook.data import DataSettingError, DataUnavailableError, cache_folder, locate
from dlbook.data.files import download
from dlbook.data.files.download import read_url

unix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs Unix users and limits")


def answer(process) -> dict:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return json.loads(output)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CONTENT[:1000], "1,000 bytes instead of 200,000"),
        (b"?" + CONTENT[1:], "its content is altered"),
        (b"", "0 bytes instead of 200,000"),
    ],
)
def test_damaged_file_is_named_set_aside_and_fetched_again(host, toy, cache, content, words):
    path = put(cache, content)
    located = locate(toy(host.url("good")))
    assert located.source == "download"
    assert path.read_bytes() == CONTENT
    assert path.with_name("file.bin.damaged").read_bytes() == content
    assert len(located.notes) == 1
    assert "toy/file.bin" in located.notes[0]
    assert words in located.notes[0]
    assert "file.bin.damaged" in located.notes[0]


def test_damaged_file_is_never_used_when_no_host_has_it(host, toy, cache):
    path = put(cache, CONTENT[:1000])
    with pytest.raises(DataUnavailableError, match="in the cache is damaged"):
        locate(toy(host.url("missing")))
    assert not path.exists()


def test_cache_that_is_a_file_is_a_clear_error(toy, tmp_path, monkeypatch):
    (tmp_path / "no-folder").write_text("")
    monkeypatch.setenv("DLBOOK_CACHE", str(tmp_path / "no-folder"))
    with pytest.raises(DataSettingError, match="DLBOOK_CACHE"):
        locate(toy())


def test_cache_folder_comes_from_the_environment_or_the_user(monkeypatch, tmp_path):
    monkeypatch.setenv("DLBOOK_CACHE", "~/books")
    assert cache_folder() == Path.home() / "books"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DLBOOK_CACHE", "books")
    assert cache_folder() == tmp_path / "books"
    monkeypatch.delenv("DLBOOK_CACHE")
    assert cache_folder().is_absolute()
    assert "dlbook" in cache_folder().parts


def test_user_without_a_home_has_a_cache_folder_too(monkeypatch, toy, tmp_path):
    def homeless(*args, **kwargs):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("DLBOOK_CACHE")
    monkeypatch.setattr(platformdirs, "user_cache_dir", homeless)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert cache_folder().parent == tmp_path
    put(tmp_path / "mirror")
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(tmp_path / "mirror"))
    assert locate(toy()).source == "mirror folder"


@pytest.fixture
def open_folder():
    """A folder that every user may enter; those of pytest are closed to others."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(folder)


# root may write everywhere, so the test becomes nobody once everything is imported
BECOME_NOBODY = "import encodings.idna\nif os.getuid() == 0: os.setuid(65534)"


@unix_only
def test_read_only_cache_is_named_with_its_remedy(host, in_new_process, open_folder):
    open_folder.chmod(0o555)
    file = make_file(host.url("good"))
    result = answer(in_new_process(file, BECOME_NOBODY, DLBOOK_CACHE=str(open_folder)))
    assert f"the folder {open_folder} cannot be written (permission denied)" in result["error"]
    assert "DLBOOK_CACHE" in result["error"]
    assert host.asked["good"] == 0


@unix_only
def test_good_file_in_a_read_only_cache_is_used(in_new_process, open_folder):
    path = put(open_folder)
    path.parent.chmod(0o555)
    open_folder.chmod(0o555)
    result = answer(in_new_process(make_file(), BECOME_NOBODY, DLBOOK_CACHE=str(open_folder)))
    assert result == {"source": "cache", "path": str(path)}


@unix_only
def test_damaged_file_in_a_read_only_cache_is_named(host, in_new_process, open_folder):
    path = put(open_folder, b"half")
    path.parent.chmod(0o555)
    open_folder.chmod(0o555)
    file = make_file(host.url("good"))
    result = answer(in_new_process(file, BECOME_NOBODY, DLBOOK_CACHE=str(open_folder)))
    assert "toy/file.bin in the cache is damaged (4 bytes instead of 200,000)" in result["error"]
    assert f"the folder {open_folder} cannot be written" in result["error"]


@unix_only
def test_full_disk_is_named_and_leaves_no_part(host, in_new_process, cache):
    no_room = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    result = answer(in_new_process(make_file(host.url("good")), no_room))
    assert f"the folder {cache} cannot be written (file too large)" in result["error"]
    assert "make room" in result["error"]
    assert "DLBOOK_CACHE" in result["error"]
    assert [p.name for p in (cache / "toy").iterdir()] == ["file.bin.lock"]


def test_two_processes_share_one_download(host, cache, in_new_process):
    file = make_file(host.url("slow"))
    processes = [in_new_process(file) for _ in range(2)]
    path = cache / "toy" / "file.bin"
    while any(process.poll() is None for process in processes):
        if path.exists():
            assert path.stat().st_size == len(CONTENT)  # never half a file under its own name
        time.sleep(0.005)
    assert {answer(process)["source"] for process in processes} == {"download", "cache"}
    assert host.asked["slow"] == 1
    assert path.read_bytes() == CONTENT


def test_killed_download_leaves_nothing_that_is_used(host, cache, in_new_process):
    process = in_new_process(make_file(host.url("stalled")))
    assert host.halfway.wait(60)
    folder = cache / "toy"
    deadline = time.monotonic() + 30
    while not list(folder.glob("*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert len(list(folder.glob("*.part"))) == 1
    assert not (folder / "file.bin").exists()

    result = answer(in_new_process(make_file(host.url("good"))))
    assert result["source"] == "download"
    assert sorted(p.name for p in folder.iterdir()) == ["file.bin", "file.bin.lock"]


def test_interrupted_download_leaves_no_part(host, toy, cache, monkeypatch):
    def interrupted(url, size):
        yield next(read_url(url, size))
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "read_url", interrupted)
    with pytest.raises(KeyboardInterrupt):
        locate(toy(host.url("good")))
    assert [p.name for p in (cache / "toy").iterdir()] == ["file.bin.lock"]


def test_lock_that_is_never_given_is_a_clear_error(host, toy, cache, monkeypatch):
    monkeypatch.setattr(download, "LOCK", 0.05)
    (cache / "toy").mkdir(parents=True)
    # another handle of the same process stands for another process
    with (
        filelock.FileLock(cache / "toy" / "file.bin.lock", is_singleton=False),
        pytest.raises(DataUnavailableError, match=r"file\.bin\.lock.* could not be acquired"),
    ):
        locate(toy(host.url("good")))


@unix_only
def test_unreadable_file_is_named(host, toy, cache):
    if os.getuid() == 0:
        pytest.skip("root may read every file")
    put(cache).chmod(stat.S_IWUSR)
    located = locate(toy(host.url("good")))
    assert "cannot be read (permission denied)" in located.notes[0]
