"""A stand-in for Tatoeba's pairs: short sentences from a grammar, about eating, reading, going."""

from typing import Any

import numpy as np

LICENCE = "made by dlbook; no terms"
CITATION = "the word lists in dlbook/data/stand_ins/cmn_eng.py"
NOTE = "The sentences were put together from some forty words by a grammar."

_PEOPLE = (("I", "我"), ("he", "他"), ("she", "她"), ("Tom", "汤姆"), ("we", "我们"))
_TIMES = (
    ("", ""),
    ("Today ", "今天"),
    ("Yesterday ", "昨天"),
    ("Every day ", "每天"),
    ("In the evening ", "晚上"),
    ("On Sunday ", "周日"),
    ("In the morning ", "早上"),
)
_PATTERNS = (  # English, Chinese, what the last place takes
    ("{who} like to eat {what}.", "{who}喜欢吃{what}。", "fruit"),
    ("{who} bought {what}.", "{who}买了{what}。", "fruit"),
    ("{who} gave me {what}.", "{who}给我{what}。", "fruit"),
    ("{what}, please.", "请给我一个{what}。", "fruit"),
    ("{who} like to read {what}.", "{who}喜欢看{what}。", "book"),
    ("{who} wrote {what}.", "{who}写了{what}。", "book"),
    ("{who} went to {what}.", "{who}去了{what}。", "place"),
    ("{who} live in {what}.", "{who}住在{what}。", "place"),
    ("{what} is far.", "{what}很远。", "place"),
)
_WORDS = {
    "fruit": (("apples", "苹果"), ("bananas", "香蕉"), ("oranges", "橙子"), ("pears", "梨子")),
    "book": (("books", "书本"), ("papers", "报纸"), ("letters", "信件"), ("novels", "小说")),
    "place": (("Tokyo", "东京"), ("Boston", "波士顿"), ("London", "伦敦"), ("Paris", "巴黎")),
}
_SENTENCES, _SEED = 3_000, 20240508


def make() -> dict[str, Any]:
    """Puts the pairs together, the same ones in every process.

    Returns:
        The field of a ``SentencePairs``.
    """
    rng = np.random.default_rng(_SEED)
    pairs = []
    for _ in range(_SENTENCES):
        english, chinese, kind = _PATTERNS[int(rng.integers(len(_PATTERNS)))]
        who = _PEOPLE[int(rng.integers(len(_PEOPLE)))]
        what = _WORDS[kind][int(rng.integers(len(_WORDS[kind])))]
        when = _TIMES[int(rng.integers(len(_TIMES)))]
        english = when[0] + english.format(who=who[0], what=what[0])
        pairs.append((english, when[1] + chinese.format(who=who[1], what=what[1])))
    return {"pairs": tuple(pairs)}
