"""Where a line goes: a notebook's page, a terminal, or a file in an encoding with few signs."""

import codecs
import html
import sys

# what stands for a sign that the output's encoding does not have
_PLAIN = {
    "✓": "ok", "✗": "x", "→": "->", "≥": ">=", "≤": "<=", "≈": "~", "−": "-", "–": "-", "×": "x",
    "…": "...", "·": "*", "│": "|", "─": "-", "█": "#",
}  # fmt: skip


def in_notebook() -> bool:
    """True in a Jupyter kernel, false in a terminal IPython or plain Python."""
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def display_bundle(**forms: str) -> None:
    """Show one output as ``plain``, ``html``, ``markdown``; a viewer takes the richest it knows."""
    from IPython.display import display

    # a bundle of our own: the plain form is a text too, not the address of an object
    display({f"text/{name}": text for name, text in forms.items()}, raw=True)


def as_html(before: str, bold: str, after: str) -> str:
    """A line as HTML that reads well without any style; ``bold`` is its important part."""
    before, bold, after = (html.escape(part, quote=False) for part in (before, bold, after))
    return f"<div>{before}{f'<b>{bold}</b>' if bold else ''}{after}</div>"


def allow_every_sign() -> None:
    """Let ``print`` write plain signs where standard output's encoding lacks one.

    Redirected output is in cp1252 or gbk on many machines; they have no ✓.
    """
    if getattr(sys.stdout, "errors", None) == "strict" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="dlbook.plain")


def _plain_signs(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign, "?") for sign in lacking), error.end


codecs.register_error("dlbook.plain", _plain_signs)
allow_every_sign()
