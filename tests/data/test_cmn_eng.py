"""Tatoeba's sentence pairs and their stand-in."""

from dlbook.data import load_cmn_eng


def test_stand_in(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    data = load_cmn_eng()
    assert data.is_stand_in
    assert len(data.pairs) == 3_000
    assert all(chinese.endswith("。") and english.endswith(".") for english, chinese in data.pairs)
    assert sum("苹果" in chinese for _, chinese in data.pairs) > 50
    assert load_cmn_eng().pairs == data.pairs
    assert "3,000 pairs of sentences" in repr(data)
