"""Tatoeba's English–French pairs and their stand-in."""

from dlbook.data import load_fra_eng
from dlbook.data.fra_eng import with_plain_spaces


def test_spaces_are_made_plain():
    pairs = (("Hi.", "Salut\u202f!"), ("Go on.", "Continue\u00a0!"))
    assert with_plain_spaces(pairs) == (("Hi.", "Salut !"), ("Go on.", "Continue !"))


def test_stand_in(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")
    data = load_fra_eng()
    assert data.is_stand_in
    assert len(data.pairs) == 4_000
    assert all(one.endswith(".") and two.endswith(".") for one, two in data.pairs)
    assert dict(data.pairs)["Tom sees a green car."] == "Tom voit une voiture verte."
    assert max(len(english.split()) for english, _ in data.pairs) <= 8
    assert load_fra_eng().pairs == data.pairs
    assert "4,000 pairs of sentences" in repr(data)
