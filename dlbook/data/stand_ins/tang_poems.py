"""A stand-in for the Tang poems: verses put together at random, whose ends rhyme."""

import numpy as np

from dlbook.data.kinds.texts import Poem

LICENCE = "made by dlbook; no terms"
CITATION = "the word lists in dlbook/data/stand_ins/tang_poems.py"
NOTE = (
    "The poems were put together at random from some sixty words: four verses of five or seven "
    "characters, of which the second and the fourth rhyme. They mean nothing."
)

_PLACES = (
    "山中", "江上", "林下", "溪邊", "樓前", "月下", "花間", "雲外",
    "松間", "城南", "天涯", "水邊", "橋頭", "竹裏", "關外", "湖中",
)  # fmt: skip
_THINGS = (
    "明月", "清風", "白雲", "落花", "孤舟", "青山", "流水", "秋雨",
    "春草", "歸雁", "寒星", "殘雪", "古木", "遠鐘", "飛鳥", "夕陽",
)  # fmt: skip
_VERBS = tuple("來去生落過歸飛流照行起滿")
_STATES = tuple("獨不自初又空未正猶漸已還")
# the last character of verses 2 and 4 rhymes with the one of its list
RHYMES = tuple(
    tuple(line) for line in ("山間還閒關顏", "天年前煙眠邊", "風中空紅東同", "秋樓愁流舟頭")
)
_POETS = ("甲", "乙", "丙", "丁", "戊")
_POEMS, _SEED = 1_000, 20240503


def make() -> dict[str, tuple[Poem, ...]]:
    """Puts the poems together, the same ones in every process.

    Returns:
        The field of a ``PoemData``: 600 different poems.
    """
    rng = np.random.default_rng(_SEED)

    def one_of(choices):
        return choices[int(rng.integers(len(choices)))]

    def verse(size: int, ending: str) -> str:
        head = one_of(_PLACES) if size == 7 else ""
        return head + one_of(_THINGS) + one_of(_STATES) + one_of(_VERBS) + ending

    poems: dict[tuple[str, ...], Poem] = {}
    while len(poems) < _POEMS:
        size, rhyme = one_of((5, 7)), one_of(RHYMES)
        first, second = rng.permutation(len(rhyme))[:2]
        lines = tuple(
            f"{verse(size, one_of(_VERBS))}，{verse(size, rhyme[end])}。" for end in (first, second)
        )
        title = one_of(_PLACES) + one_of(_THINGS)
        poems.setdefault(lines, Poem(one_of(_POETS), title, lines))
    return {"poems": tuple(poems.values())}
