"""check(): one line that says a claim holds, or an error that says by how much it does not."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlbook import output

# Four units in the last place of a float32: what a few operations on it may round away.
_ROUNDING = 4 * float(np.finfo(np.float32).eps)
_SHARE = re.compile(r"\b(accuracy|share)\b", re.IGNORECASE)
# a difference of two shares is no share, and "20 % over" would read as a ratio
_DIFFERENCE = re.compile(
    r"\b(points?|by|than|(over|above|below|under) the|lead|gain\w*|lost|differ\w*)\b", re.IGNORECASE
)

_log: list[dict[str, Any]] = []


class CheckError(AssertionError):
    """A claim of a chapter that does not hold."""


@dataclass(frozen=True)
class _Verdict:
    passed: bool
    failure: str  # what CheckError says
    claim: str  # the same on every machine
    found: str = ""  # what was measured, for the reader
    against: str = ""  # and the claim beside it


def check(
    name: str,
    value: Any,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    equals: Any = None,
    tolerance: float = 0.0,
    stand_in: float | None = None,
    data: Any = None,
    headline: bool = False,
) -> None:
    """Hold a computed value against a claim and show one line.

    The reader sees the value and the bar: "✓ test accuracy: 99.55 %, at least 99.2 %". In a
    notebook that is the output's HTML; its plain text, "✓ test accuracy: at least 0.992", reads
    the same on every machine, and nbval compares that one. ``dlbook.report()`` has the value too.

    Exactly one of ``at_least``, ``at_most`` and ``equals`` says what is claimed. Without any of
    them ``value`` is a condition: it must be true, and every element of an array must be.

    A floating-point value may miss a bar by what float32 rounds away, 5e-7 of the bar; an integer
    by nothing. Percentages are shown where the name speaks of an accuracy or a share, not of a
    difference, and value and bar lie between 0 and 1.

    Args:
        name: What is checked, in a few words.
        value: The number, array or condition. An array must hold the claim in every element.
        at_least: Lower bar.
        at_most: Upper bar.
        equals: The value to be equal to: a number, array, shape or string.
        tolerance: For ``equals`` on numbers: the largest absolute difference allowed.
        stand_in: The bar to use instead when ``data`` is a stand-in. Needs ``data``.
        data: The data set that the value was measured on; it knows whether it is a stand-in.
        headline: Whether this is the chapter's main figure, for the map of the book.

    Raises:
        CheckError: The claim does not hold. NaN holds no claim.
        ValueError: The arguments make no claim, or more than one.
    """
    if sum(claim is not None for claim in (at_least, at_most, equals)) > 1:
        raise ValueError("check takes one of at_least, at_most and equals, not several")
    if stand_in is not None and (data is None or (at_least is None and at_most is None)):
        raise ValueError("stand_in= needs data= and one of at_least= and at_most=")
    if tolerance and equals is None:
        raise ValueError("tolerance= goes with equals=")

    bar = side = None
    if equals is not None:
        verdict = _equality(value, equals, tolerance)
    elif at_least is None and at_most is None:
        verdict = _condition(name, value)
    else:
        side, real = ("at least", at_least) if at_least is not None else ("at most", at_most)
        bar, claim, place = float(real), f"{side} {_short(real)}", ""
        if stand_in is not None:
            claim += f" ({_short(stand_in)} on stand-in data)"
            if data.is_stand_in:
                bar, place = float(stand_in), " on stand-in data"
        verdict = _against_bar(name, value, side, bar, claim, place)

    entry = {"name": name, "value": _scalar(value), "passed": verdict.passed}
    _log.append({**entry, "bar": bar, "side": side, **({"headline": True} if headline else {})})
    if not verdict.passed:
        raise CheckError(f"{name}: {verdict.failure}")
    line = (f"✓ {name}: ", verdict.found, verdict.against or verdict.claim)
    if output.in_notebook():
        plain = f"✓ {name}: {verdict.claim}"
        output.display_bundle(plain=plain, html=output.as_html(*line))
    else:
        output.allow_every_sign()
        print("".join(line))


def checks() -> list[dict[str, Any]]:
    """All checks of this process so far: name, value (None unless finite), passed, bar, side."""
    return [dict(entry) for entry in _log]


def _against_bar(name: str, value: Any, side: str, bar: float, claim: str, place: str) -> _Verdict:
    array = np.asarray(value)
    rounding = 0.0 if array.dtype.kind in "iub" else _ROUNDING * abs(bar)
    array = array.astype(float)
    if array.size == 0 or np.isnan(array).any():
        what = "an array with NaN" if array.ndim else "not a number"
        what = what if array.size else "an empty array"
        return _Verdict(False, f"{what}, the bar is {_short(bar)}", claim)
    low, high = float(array.min()), float(array.max())
    worst, sign, wrong = (low, 1, "below") if side == "at least" else (high, -1, "above")
    margin = sign * (worst - bar)
    found, limit = _side_by_side(worst, bar)
    who = f"an array of shape {array.shape}, its worst element" if array.ndim else f"{found},"
    failure = f"{who} {abs(margin):.3g} {wrong} the bar of {limit}"

    share = _SHARE.search(name) and not _DIFFERENCE.search(name)
    percent = bool(share) and 0 <= bar <= 1 and low >= 0 and high <= 1
    scale, unit = (100, " %") if percent else (1, "")
    met = bar if abs(margin) <= rounding else worst
    found, limit = _side_by_side(met * scale, bar * scale)
    if array.ndim:
        found = f"{'smallest' if sign > 0 else 'largest'} of {array.size:,}: {found}"
    against = f", {side} {limit}{unit}{place}"
    return _Verdict(margin >= -rounding, failure, claim, found + unit, against)


def _equality(value: Any, equals: Any, tolerance: float) -> _Verdict:
    claim = f"equal within {tolerance:g}" if tolerance else "equal exactly"
    if not tolerance and isinstance(equals, int | float | str | tuple):
        claim = f"equals {_short(equals)}"
    if isinstance(equals, tuple) and not isinstance(value, str):
        value = tuple(np.asarray(value).tolist())  # shapes come as lists and arrays too
    if not tolerance and isinstance(equals, str | tuple):
        return _Verdict(bool(value == equals), f"{value!r} instead of {equals!r}", claim)
    left, right = np.asarray(value), np.asarray(equals)
    if left.shape != right.shape:
        return _Verdict(False, f"shape {left.shape} instead of {right.shape}", claim)
    if left.size == 0:
        return _Verdict(False, "empty arrays show nothing", claim)
    if tolerance:
        left, right = left.astype(float), right.astype(float)
        gap = float(np.abs(left - right).max())  # NaN, which passes nothing, if either has one
        failure = f"differs by {gap:.3g}, over {tolerance:g}"
        if left.ndim:
            found, against = f"largest difference {gap:.2g}", f" in {left.size:,} values"
        else:
            found = _digits(float(left), 4)[1]
            against = f", {gap:.2g} from {_digits(float(right), 4)[1]}"
        against += f", within {tolerance:g}"
        return _Verdict(gap <= tolerance * (1 + _ROUNDING), failure, claim, found, against)
    same = left == right
    if left.ndim == 0 and right.dtype.kind == "f":
        same |= left == right.astype(np.float32)
    failure = f"{(~same).sum()} differences" if left.ndim else f"{left} instead of {right}"
    found = f"all {left.size:,} values" if left.ndim else ""
    return _Verdict(bool(same.all()), failure, claim, found, " equal exactly" if found else "")


def _condition(name: str, value: Any) -> _Verdict:
    array = np.asarray(value)
    if array.dtype != bool:
        raise ValueError(
            f"check({name!r}) got {type(value).__name__} and no claim: pass a condition, "
            "or one of at_least=, at_most=, equals="
        )
    failure = f"false in {(~array).sum()} places" if array.ndim else "false"
    if array.size == 0:
        failure = "an empty array shows nothing"
    passed = array.size > 0 and bool(array.all())
    found = f"all {array.size:,} values" if array.ndim else ""
    return _Verdict(passed, failure, "holds", found, " hold" if found else "")


def _side_by_side(value: float, bar: float) -> tuple[str, str]:
    """Two numbers in few digits, in more where they would look equal or change places."""
    for digits in range(4, 18):
        left, found = _digits(value, digits)
        right, limit = _digits(bar, max(digits, 6))
        if (left > right) - (left < right) == (value > bar) - (value < bar):
            break
    return found, limit


def _digits(number: float, digits: int) -> tuple[float, str]:
    whole = len(f"{abs(number):.0f}")  # the digits before the point are all written
    shown = f"{number:,.{max(digits, whole)}g}"
    return float(shown.replace(",", "")), shown


def _scalar(value: Any) -> float | None:
    array = np.asarray(value)
    if array.ndim or array.dtype.kind not in "fiu" or not np.isfinite(array):
        return None  # NaN and infinity are no JSON
    return float(array)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
