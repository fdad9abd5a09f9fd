"""show(): the tested source of a function or class, inside the chapter."""

import ast
import inspect
import textwrap
from collections.abc import Callable

from dlbook.runtime import in_notebook


def source_of(*objects: Callable, docstring: bool = False) -> str:
    """The source of functions and classes as text, in the given order.

    Args:
        objects: Functions, methods or classes that are defined in a file.
        docstring: Keep the docstrings. Without them a reader sees the code at once; ``help()``
            shows the rest.

    Returns:
        The dedented source, the objects parted by two empty lines.

    Raises:
        TypeError: An object has no Python source.
    """
    parts = []
    for item in objects:
        try:
            text = textwrap.dedent(inspect.getsource(inspect.unwrap(item)))
        except (TypeError, OSError) as error:
            raise TypeError(f"show() needs a Python function or class, not {item!r}") from error
        parts.append((text if docstring else _without_docstrings(text)).strip())
    return "\n\n\n".join(parts)


def show(*objects: Callable, docstring: bool = False) -> None:
    """Show the source of functions and classes as a highlighted block.

    It is a fenced Markdown block, so every notebook viewer highlights it and nbval compares it:
    a chapter whose builder was changed says so. Outside a notebook it is printed.

    Args:
        objects: Functions, methods or classes that are defined in a file.
        docstring: Keep the docstrings.
    """
    text = f"```python\n{source_of(*objects, docstring=docstring)}\n```"
    if in_notebook():
        from IPython.display import display

        # a bundle of our own: the plain form is the text too, not the address of an object
        display({"text/markdown": text, "text/plain": text}, raw=True)
    else:
        print(text)


def _without_docstrings(text: str) -> str:
    lines = text.splitlines()
    drop: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        # a docstring that is the whole body stays: without it the code would be no Python
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            first = node.body[0]
            drop.update(range(first.lineno - 1, first.end_lineno))
            # an empty line after the docstring goes with it
            if first.end_lineno < len(lines) and not lines[first.end_lineno].strip():
                drop.add(first.end_lineno)
    return "\n".join(line for number, line in enumerate(lines) if number not in drop)
