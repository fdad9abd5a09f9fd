"""Multi30k's captions and their stand-in."""

import gzip

from dlbook.data import load_multi30k
from dlbook.data.multi30k import read_captions


def test_captions_are_read(tmp_path):
    path = tmp_path / "train.fr.gz"
    path.write_bytes(gzip.compress("Un homme dort.\nUne femme lit à l'ombre. \n".encode()))
    assert read_captions(path) == ("Un homme dort.", "Une femme lit à l'ombre.")


def test_stand_in(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    data = load_multi30k()
    assert data.is_stand_in
    assert [len(part) for part in (data.train, data.validation, data.test)] == [400, 40, 40]
    assert load_multi30k().test == data.test
    assert "400 + 40 + 40 pairs of captions" in repr(data)
