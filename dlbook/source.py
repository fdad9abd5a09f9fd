"""show(): the tested source of a function or class, inside the chapter."""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterable

from dlbook import output

_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def source_of(*objects: Callable, guards: bool = True) -> str:
    """What ``show`` shows as text: the dedented sources, parted by two empty lines."""
    found = []
    for item in objects:
        try:
            text = textwrap.dedent(inspect.getsource(inspect.unwrap(item)))
            owner, place = _class_and_place(inspect.unwrap(item))
        except (TypeError, OSError) as error:
            raise TypeError(f"show() needs a Python function or class, not {item!r}") from error
        found.append((owner, place, _without(text, guards).strip()))
    parts = []
    for _, group in itertools.groupby(found, key=lambda entry: entry[0] and ast.dump(entry[0])):
        group = list(group)
        owner = group[0][0]
        parts += [_in_class(owner, group)] if owner else [text for *_, text in group]
    return "\n\n\n".join(parts)


def show(*objects: Callable, guards: bool = True) -> None:
    """Show the source of functions, methods and classes as a highlighted block.

    It is a fenced Markdown block, so every notebook viewer highlights it and nbval compares it:
    a chapter whose builder was changed says so. Outside a notebook it is printed. Docstrings are
    left out, so that a reader sees the code at once; ``help()`` shows them.

    Args:
        objects: What is defined in a file. A method stands inside its class, with "..." where
            other parts of the class are left out; methods of one class that follow each other
            stand in it together.
        guards: Keep the validations at the top of a function: its first statements, as far as
            they only raise an error if something is wrong.

    Raises:
        TypeError: An object has no Python source.
    """
    text = f"```python\n{source_of(*objects, guards=guards)}\n```"
    if output.in_notebook():
        output.display_bundle(markdown=text, plain=text)
    else:
        print(text)


def _class_and_place(item: Callable) -> tuple[ast.ClassDef | None, int]:
    """The class statement around a method, and the method's place in its body."""
    if inspect.isclass(item):
        return None, 0
    lines, start = inspect.findsource(item)
    try:
        module = ast.parse("".join(lines))
    except SyntaxError:  # a cell of a notebook with a magic in it
        return None, 0
    for owner in ast.walk(module):
        for place, node in enumerate(owner.body if isinstance(owner, ast.ClassDef) else ()):
            if isinstance(node, _FUNCTION):
                first = min([node, *node.decorator_list], key=lambda part: part.lineno)
                if first.lineno == start + 1:
                    return owner, place
    return None, 0


def _in_class(owner: ast.ClassDef, methods: Iterable[tuple[ast.ClassDef, int, str]]) -> str:
    bases = ", ".join(ast.unparse(base) for base in [*owner.bases, *owner.keywords])
    blocks = []
    before = -1 if ast.get_docstring(owner) is None else 0
    for _, place, text in methods:
        blocks += ["..."] * (place != before + 1) + [text]
        before = place
    blocks += ["..."] * (before != len(owner.body) - 1)
    head = f"class {owner.name}({bases}):" if bases else f"class {owner.name}:"
    return head + "\n" + textwrap.indent("\n\n".join(blocks), "    ")


def _without(text: str, guards: bool) -> str:
    lines = text.splitlines()
    drop: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, _FUNCTION | ast.ClassDef):
            continue
        body = list(node.body)
        leave_out = []
        if ast.get_docstring(node) is not None and len(body) > 1:
            # a docstring that is the whole body stays: without it the code would be no Python
            leave_out.append(body.pop(0))
        if not guards and isinstance(node, _FUNCTION):
            leave_out += list(itertools.takewhile(_only_raises, body[:-1]))
        for statement in leave_out:
            start, end = statement.lineno - 1, statement.end_lineno
            while lines[start - 1].lstrip().startswith("#"):  # the reason goes with its statement
                start -= 1
            # and so does an empty line after it
            end += end < len(lines) and not lines[end].strip()
            drop.update(range(start, end))
    return "\n".join(line for number, line in enumerate(lines) if number not in drop)


def _only_raises(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return all(_only_raises(inner) for inner in statement.body + statement.orelse)
    return isinstance(statement, ast.Raise)
