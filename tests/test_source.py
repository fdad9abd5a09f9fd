"""show(): the source of functions and classes, as text and as a notebook stores it."""

import functools
import math
import sys

import pytest

from dlbook import show
from dlbook.source import source_of


def twice(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments) * 2

    return wrapper


def plain(x: int) -> int:
    """One line.

    And more.
    """

    return x + 1  # a reason


@twice
def decorated(x):
    """Gone."""
    return x


async def awaited():
    """Gone."""
    return 1


def only_docstring():
    """Stays."""


class Box:
    """Gone."""

    size = 3

    def grow(self):
        """Gone too."""

        def by_one():
            """Gone as well."""
            return self.size + 1

        return by_one() + len("""not a docstring""")


def test_docstrings_are_dropped_and_the_rest_is_as_written():
    assert source_of(plain) == "def plain(x: int) -> int:\n    return x + 1  # a reason"


def test_docstrings_can_be_kept():
    text = source_of(plain, docstring=True)
    assert '"""One line.\n\n    And more.\n    """' in text


def test_classes_and_inner_functions():
    assert source_of(Box) == (
        "class Box:\n"
        "    size = 3\n"
        "\n"
        "    def grow(self):\n"
        "        def by_one():\n"
        "            return self.size + 1\n"
        "\n"
        '        return by_one() + len("""not a docstring""")'
    )


def test_methods_are_moved_to_the_left():
    assert source_of(Box.grow).startswith("def grow(self):\n    def by_one():")


def test_a_decorated_function_shows_its_own_source():
    assert source_of(decorated) == "@twice\ndef decorated(x):\n    return x"


def test_coroutines_are_functions_too():
    assert source_of(awaited) == "async def awaited():\n    return 1"


def test_a_docstring_that_is_the_whole_body_stays():
    assert source_of(only_docstring) == 'def only_docstring():\n    """Stays."""'


def test_several_objects_are_parted_by_two_empty_lines():
    assert source_of(plain, decorated) == f"{source_of(plain)}\n\n\n{source_of(decorated)}"


@pytest.mark.parametrize("thing", [len, math.sin, 3, "text", int], ids=repr)
def test_what_has_no_python_source_is_named(thing):
    with pytest.raises(TypeError, match="needs a Python function or class, not"):
        source_of(thing)


def test_outside_a_notebook_it_is_printed(capsys: pytest.CaptureFixture):
    show(decorated)
    assert capsys.readouterr().out == f"```python\n{source_of(decorated)}\n```\n"


def test_in_a_notebook_it_is_markdown_and_the_same_text_plain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    import IPython.display

    shown = []
    monkeypatch.setattr(sys.modules["dlbook.show"], "in_notebook", lambda: True)
    monkeypatch.setattr(
        IPython.display, "display", lambda data, **settings: shown.append((data, settings))
    )
    show(decorated)
    text = f"```python\n{source_of(decorated)}\n```"
    assert shown == [({"text/markdown": text, "text/plain": text}, {"raw": True})]
    assert capsys.readouterr().out == ""


def test_a_kernel_stores_markdown_and_the_same_text_plain():
    """A real kernel: the output is what nbval compares."""
    import nbclient
    import nbformat

    code = "from dlbook import show\nfrom dlbook.checks import checks\nshow(checks)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert output.data["text/markdown"] == output.data["text/plain"]
    assert output.data["text/plain"].startswith("```python\ndef checks() -> list[")
    assert "at 0x" not in str(output)
