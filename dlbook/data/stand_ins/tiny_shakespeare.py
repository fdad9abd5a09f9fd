"""A stand-in for Shakespeare's plays: the beginning of Python's own documentation."""

LICENCE = "shipped with Python (PSF licence)"
CITATION = "Python Software Foundation: The Python language reference"
NOTE = "The text is Python's documentation of its language: no play, but English."

_LENGTH = 120_000  # characters, to the last paragraph that is whole
# a few typographic characters occur too seldom to learn
_RARE = {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."}


def make() -> dict[str, str]:
    """Puts the topics of Python's help together.

    Returns:
        The field of a ``TextData``. Another version of Python has a slightly different text.
    """
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name].strip() for name in sorted(topics))
    text = text.translate(str.maketrans(_RARE)).encode("ascii", "ignore").decode()
    return {"text": text[: text.rindex("\n\n", 0, _LENGTH) + 1]}
