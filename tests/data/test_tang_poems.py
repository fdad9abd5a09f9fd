"""The Tang poems and their stand-in."""

import json
import os
import re

import pytest

from dlbook.data import load_tang_poems
from dlbook.data.kinds.texts import Poem, PoemData
from dlbook.data.stand_ins import tang_poems as stand_ins
from dlbook.data.tang_poems import read_poems

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")


def write(path, *entries):
    path.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    return path


def entry(*lines: str, title: str = "題") -> dict:
    return {"author": "李白", "title": title, "paragraphs": list(lines), "id": "?"}


def test_poems_are_read_and_incomplete_ones_left_out(tmp_path):
    whole = entry("牀前看月光，疑是地上霜。", "舉頭望山月，低頭思故鄉。", title="靜夜思")
    first = write(tmp_path / "a.json", whole, entry("白日□山盡。"), entry("又（一作再）見。"))
    second = write(tmp_path / "b.json", entry(), whole, entry("𨣧行何處？", title="二"))
    assert read_poems([first, second]) == (
        Poem("李白", "靜夜思", ("牀前看月光，疑是地上霜。", "舉頭望山月，低頭思故鄉。")),
        Poem("李白", "二", ("𨣧行何處？",)),
    )


def test_text_of_a_poem():
    assert Poem("a", "b", ("一，二。", "三。")).text == "一，二。\n三。\n"


@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "stand-in")


def test_poems_stand_in(stand_in):
    data = load_tang_poems()
    assert data.is_stand_in
    assert len(data.poems) == len({poem.lines for poem in data.poems}) == 1_000
    for poem in data.poems:
        first, second = (line[-2] for line in poem.lines)
        assert first != second
        assert any({first, second} <= set(rhyme) for rhyme in stand_ins.RHYMES)
        assert {len(verse) for verse in re.split("[，。]", "".join(poem.lines)) if verse} in (
            {5},
            {7},
        )
    assert stand_ins.make()["poems"] == data.poems
    assert "1,000 poems by 5 authors" in repr(data)


def test_split_of_poems(stand_in):
    data = load_tang_poems()
    kept, held = data.train_validation_split(0.1, seed=1)
    assert (len(kept), len(held)) == (900, 100)
    assert set(kept) | set(held) == set(data.poems)
    assert data.train_validation_split(0.1, seed=2)[1] != held
    fields = {"name": "p", "title": "", "source": "", "licence": "", "citation": ""}
    for share in (0, 1, 0.1):
        with pytest.raises(ValueError, match="share must leave both parts"):
            PoemData(**fields, poems=data.poems[:2]).train_validation_split(share)


@pytest.mark.skipif(not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with the real poems")
def test_real_poems_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_tang_poems()
    assert 9_000 < len(data.poems) < 10_000
    assert data.poems[0].author == "太宗皇帝"
    assert data.source == "mirror folder"
