"""The two things that can go wrong with data: a wrong setting, and files that cannot be had."""

from __future__ import annotations


class DataSettingError(ValueError):
    """A setting that names something which is not there or makes no sense."""


class DataUnavailableError(RuntimeError):
    """Files of a data set could not be had, or not be put where they were wanted.

    ``str(error)`` is several plain lines: what was tried, and what helps.

    Args:
        headline: what could not be done, without a full stop.
        tried: one line for each thing that was tried and did not work.
        remedies: one line for each thing that would help.

    Attributes:
        summary: the same in one sentence, without the remedies.
    """

    def __init__(self, headline: str, tried: list[str], remedies: list[str]) -> None:
        self.tried = tuple(tried)
        self.remedies = tuple(remedies)
        self.summary = f"{headline}: {'; '.join(tried)}."
        lines = [f"{headline}.", "What was tried:", *(f"  - {line}" for line in tried)]
        lines += ["What helps:", *(f"  - {line}" for line in remedies)]
        super().__init__("\n".join(lines))
