"""show(): the source of functions and classes, as text and as a notebook stores it."""

import abc
import functools
import math
import re

import pytest

from dlbook import output, show
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


class Animal(Box, metaclass=abc.ABCMeta):
    """Gone."""

    def first(self):
        return 1

    @twice
    def call(self):
        """Gone."""
        return self.first()

    between = 2

    def last(self):
        return 3


def test_a_method_stands_inside_its_class():
    assert source_of(Animal.call) == (
        "class Animal(Box, metaclass=abc.ABCMeta):\n"
        "    ...\n"
        "\n"
        "    @twice\n"
        "    def call(self):\n"
        "        return self.first()\n"
        "\n"
        "    ..."
    )
    assert source_of(Animal().last) == source_of(Animal.last)  # a bound one too
    # inherited: where it is written
    assert source_of(Animal.grow).startswith("class Box:\n    ...\n\n    def grow(self):\n")


def test_methods_of_one_class_stand_together_and_only_gaps_are_marked():
    text = source_of(Animal.first, Animal.call, Animal.last)
    assert text.count("class ") == 1
    names = re.findall(r"^    (?:def (\w+)|(\.\.\.))", text, re.MULTILINE)
    assert [name or dots for name, dots in names] == ["first", "call", "...", "last"]


def test_classes_are_told_apart():
    text = source_of(Animal.last, Box.grow, plain)
    assert re.findall(r"^class (\w+)|^def (\w+)", text, re.MULTILINE) == [
        ("Animal", ""),
        ("Box", ""),
        ("", "plain"),
    ]


def guarded(x, y):
    """Gone."""
    # a reason that goes with its guard
    if x < 0:
        raise ValueError("x")
    if y < 0:
        if x:
            raise ValueError("x and y")
        raise ValueError("y")

    # a reason that stays
    if x > y:
        return x
    if y > 100:
        raise ValueError("not at the top")
    return y


def only_guards(x):
    if x < 0:
        raise ValueError("x")


def test_validations_at_the_top_are_left_out_when_asked():
    assert "a reason that goes" in source_of(guarded)
    text = source_of(guarded, guards=False)
    assert text == (
        "def guarded(x, y):\n" + "    # a reason that stays\n"
        "    if x > y:\n"
        "        return x\n"
        "    if y > 100:\n"
        '        raise ValueError("not at the top")\n'
        "    return y"
    )
    assert source_of(only_guards, guards=False) == source_of(only_guards)


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
    shown = []
    monkeypatch.setattr(output, "in_notebook", lambda: True)
    monkeypatch.setattr(output, "display_bundle", lambda **forms: shown.append(forms))
    show(decorated)
    text = f"```python\n{source_of(decorated)}\n```"
    assert shown == [{"markdown": text, "plain": text}]
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
