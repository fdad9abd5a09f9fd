"""check(): one line that says a claim holds, or an error that says by how much it does not."""

import math
from typing import Any

import numpy as np

_log: list[dict[str, Any]] = []


class CheckError(AssertionError):
    """A claim of a chapter that does not hold."""


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
    """Hold a computed value against a claim and print one line.

    The line does not contain the value, so it reads the same on every machine and nbval can
    compare it. The value itself is kept for ``dlbook.report()``.

    Exactly one of ``at_least``, ``at_most`` and ``equals`` says what is claimed. Without any of
    them ``value`` is a condition: it must be true, and every element of an array must be.

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
    claims = [c for c in (at_least, at_most, equals) if c is not None]
    if len(claims) > 1:
        raise ValueError("check takes one of at_least, at_most and equals, not several")
    if stand_in is not None and (data is None or (at_least is None and at_most is None)):
        raise ValueError("stand_in= needs data= and one of at_least= and at_most=")
    if tolerance and equals is None:
        raise ValueError("tolerance= goes with equals=")

    bar = word = None
    on_stand_in = stand_in is not None and data.is_stand_in
    note = f" ({_short(stand_in)} on stand-in data)" if stand_in is not None else ""
    if at_least is not None or at_most is not None:
        bar = float(stand_in if on_stand_in else (at_least if at_least is not None else at_most))
        array = np.asarray(value, dtype=float)
        # how far the worst element is on the right side of the bar; NaN stays NaN
        margin = np.min(array - bar if at_least is not None else bar - array, initial=math.inf)
        passed = array.size > 0 and bool(margin >= 0)
        word, side = ("at least", "below") if at_least is not None else ("at most", "above")
        claim = f"{word} {_short(at_least if at_least is not None else at_most)}{note}"
        if array.size == 0 or np.isnan(margin):
            failure = f"{_unusable(array)}, the bar is {_short(bar)}"
        else:
            failure = f"{_found(array)} {abs(margin):.3g} {side} the bar of {_short(bar)}"
    elif equals is not None:
        passed, failure = _compare(value, equals, tolerance)
        scale = f"within {tolerance:g}" if tolerance else "exactly"
        small = isinstance(equals, int | float | str | tuple)
        claim = f"equals {_short(equals)}" if small and not tolerance else f"equal {scale}"
    else:
        array = np.asarray(value)
        if array.dtype != bool:
            raise ValueError(
                f"check({name!r}) got {type(value).__name__} and no claim: pass a condition, "
                "or one of at_least=, at_most=, equals="
            )
        passed = array.size > 0 and bool(array.all())
        claim = "holds"
        failure = "false" if array.ndim == 0 else f"false in {int((~array).sum())} places"
        if array.size == 0:
            failure = "an empty array shows nothing"

    entry = {"name": name, "value": _scalar(value), "passed": passed, "bar": bar, "side": word}
    _log.append(entry | {"headline": True} if headline else entry)
    if not passed:
        raise CheckError(f"{name}: {failure}")
    print(f"✓ {name}: {claim}")


def checks() -> list[dict[str, Any]]:
    """All checks of this process so far: name, value (None unless finite), passed, bar."""
    return [dict(entry) for entry in _log]


def _compare(value: Any, equals: Any, tolerance: float) -> tuple[bool, str]:
    if isinstance(equals, tuple) and not isinstance(value, str):
        value = tuple(np.asarray(value).tolist())  # shapes come as lists and arrays too
    if not tolerance and isinstance(equals, str | tuple):
        return bool(value == equals), f"{value!r} instead of {equals!r}"
    left, right = np.asarray(value), np.asarray(equals)
    if left.shape != right.shape:
        return False, f"shape {left.shape} instead of {right.shape}"
    if not tolerance:
        wrong = int(np.sum(left != right))
        if left.size == 0:
            return False, "empty arrays show nothing"
        detail = f"{left} instead of {right}" if left.ndim == 0 else f"{wrong} differences"
        return wrong == 0, detail
    gap = np.max(np.abs(left.astype(float) - right.astype(float)), initial=0.0)
    # written so that a NaN in either array fails
    return bool(gap <= tolerance) and left.size > 0, f"differs by {gap:.3g}, over {tolerance:g}"


def _found(array: np.ndarray) -> str:
    if array.ndim == 0:
        return f"{array:.4g},"
    return f"an array of shape {array.shape}, its worst element"


def _unusable(array: np.ndarray) -> str:
    if array.size == 0:
        return "an empty array"
    return "not a number" if array.ndim == 0 else "an array with NaN"


def _scalar(value: Any) -> float | None:
    array = np.asarray(value)
    if array.ndim or array.dtype.kind not in "fiu" or not np.isfinite(array):
        return None  # NaN and infinity are no JSON
    return float(array)


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
