"""Artefacts: saved by a storing run on real data only, small, checked when they are loaded."""

import hashlib
import json

import numpy as np
import pytest

from dlbook.data import artifacts, load_artifact, loading, save_artifact

ARRAYS = {"kernel": np.linspace(-2, 2, 12).reshape(3, 4), "counts": np.arange(5)}


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(artifacts, "FOLDER", tmp_path)
    monkeypatch.setattr(loading, "_loaded", {"mnist": "cache"})
    monkeypatch.setenv("DLBOOK_STORE", "1")
    return tmp_path


def test_what_is_saved_is_loaded(folder):
    save_artifact("31_made_up/features", ARRAYS)
    save_artifact("32_another/vectors", {"vectors": np.ones((2, 3))})
    loaded = load_artifact("31_made_up/features")
    assert loaded.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert loaded[name].dtype == np.float32
        np.testing.assert_allclose(loaded[name], array, rtol=1e-3)
    assert np.load(folder / "31_made_up" / "features.npz")["kernel"].dtype == np.float16
    assert sorted(json.loads((folder / "sha256.json").read_text())) == [
        "31_made_up/features",
        "32_another/vectors",
    ]


def test_saving_the_same_again_changes_no_byte(folder):
    save_artifact("31_made_up/features", ARRAYS)
    first = (folder / "31_made_up" / "features.npz").read_bytes()
    save_artifact("31_made_up/features", ARRAYS)
    assert (folder / "31_made_up" / "features.npz").read_bytes() == first


@pytest.mark.parametrize(
    ("setting", "sources"),
    [("", {"mnist": "cache"}), ("0", {}), ("1", {"iris": "scikit-learn", "mnist": "stand-in"})],
)
def test_nothing_is_saved_but_by_a_storing_run_on_real_data(folder, monkeypatch, setting, sources):
    monkeypatch.setenv("DLBOOK_STORE", setting)
    monkeypatch.setattr(loading, "_loaded", sources)
    save_artifact("31_made_up/features", ARRAYS)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "arrays", "words"),
    [
        ("features", ARRAYS, "name must be <chapter>/<artefact>"),
        ("../evil/features", ARRAYS, "name must be"),
        ("31_made_up/a", {"w": np.array([1.0, np.nan])}, "w has values that float16 cannot hold"),
        ("31_made_up/a", {"w": np.array([70_000.0])}, "w has values that float16 cannot hold"),
        ("31_made_up/a", {"w": np.random.default_rng(0).normal(size=1_200_000)}, "over 2,000,000"),
    ],
)
def test_what_cannot_be_kept_is_refused(folder, name, arrays, words):
    with pytest.raises(ValueError, match=words):
        save_artifact(name, arrays)
    assert list(folder.iterdir()) == []


def test_unknown_name_lists_the_known_ones(folder):
    with pytest.raises(ValueError, match="there are: none yet"):
        load_artifact("31_made_up/features")
    save_artifact("31_made_up/features", ARRAYS)
    with pytest.raises(ValueError, match="'31_made_up/feature'; there are: 31_made_up/features"):
        load_artifact("31_made_up/feature")


def test_damaged_and_missing_files_are_named(folder):
    save_artifact("31_made_up/features", ARRAYS)
    path = folder / "31_made_up" / "features.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="'31_made_up/features' is damaged"):
        load_artifact("31_made_up/features")
    path.unlink()
    with pytest.raises(ValueError, match="'31_made_up/features' is missing"):
        load_artifact("31_made_up/features")


def test_nothing_is_unpickled(folder):
    path = folder / "31_made_up" / "objects.npz"
    path.parent.mkdir()
    np.savez(path, evil=np.array([{}], object))
    hashed = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "sha256.json").write_text(json.dumps({"31_made_up/objects": hashed}))
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_artifact("31_made_up/objects")


def test_the_committed_files_are_whole_and_small():
    listed = json.loads((artifacts.FOLDER / "sha256.json").read_text())
    files = {f"{p.parent.name}/{p.stem}" for p in artifacts.FOLDER.glob("*/*.npz")}
    assert set(listed) == files
    for name in listed:
        arrays = load_artifact(name)
        assert all(np.isfinite(array).all() for array in arrays.values())
        assert (artifacts.FOLDER / f"{name}.npz").stat().st_size <= artifacts.LARGEST
