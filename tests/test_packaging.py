"""One list of dependencies, three files that agree on it, and imports that run one way."""

import ast
import graphlib
import importlib
import inspect
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dlbook"
MODULES = sorted(PACKAGE.rglob("*.py"))
PACKAGES = sorted(path.parent for path in MODULES if path.name == "__init__.py")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
ALWAYS = [Requirement(text) for text in PROJECT["dependencies"]]
ALL = ALWAYS + [Requirement(text) for extra in EXTRAS.values() for text in extra]
# what environment.yml and `make` install: the other extras are left to those who want them
WITH_TESTS = ALWAYS + [
    Requirement(text) for extra in ("test", "classroom") for text in EXTRAS[extra]
]


def pins_of(lines: list[str]) -> dict[str, Version]:
    """Name to version of all "name==version" lines."""
    found = {}
    for line in lines:
        match = re.fullmatch(r"([\w.-]+)==(\S+)", line.partition("#")[0].strip())
        if match:
            found[canonicalize_name(match[1])] = Version(match[2])
    return found


CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
ENVIRONMENT = (ROOT / "environment.yml").read_text(encoding="utf-8")
PIP_LINES = next(
    part["pip"] for part in yaml.safe_load(ENVIRONMENT)["dependencies"] if isinstance(part, dict)
)
PINNED = pins_of(CONSTRAINTS.splitlines())
CONDA = pins_of(PIP_LINES)


@pytest.mark.parametrize("wanted", ALL, ids=str)
def test_constraints_pin_every_dependency_within_its_range(wanted: Requirement) -> None:
    version = PINNED[canonicalize_name(wanted.name)]
    assert wanted.specifier.contains(version), f"{wanted} does not allow {version}"


@pytest.mark.parametrize("wanted", WITH_TESTS, ids=str)
def test_environment_pins_every_dependency_to_the_same_version(wanted: Requirement) -> None:
    name = canonicalize_name(wanted.name)
    assert CONDA[name] == PINNED[name]


def test_environment_pins_nothing_else_and_installs_the_book() -> None:
    assert CONDA.keys() == {canonicalize_name(wanted.name) for wanted in WITH_TESTS}
    assert "-e .[test,classroom]" in PIP_LINES
    assert "-c constraints.txt" in PIP_LINES


def test_every_line_of_constraints_is_a_pin_or_a_comment() -> None:
    lines = [line for line in CONSTRAINTS.splitlines() if line and not line.startswith("#")]
    assert len(pins_of(lines)) == len(lines)


def test_conda_takes_a_python_that_the_project_allows() -> None:
    python = next(d for d in yaml.safe_load(ENVIRONMENT)["dependencies"] if "python=" in d)
    allowed = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert allowed.contains(Version(python.partition("=")[2]))


@pytest.mark.parametrize(
    "path", ["constraints.txt", "environment.yml", "pyproject.toml", "Makefile", ".ci/run"]
)
def test_no_index_is_named(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert not re.search(r"https?://|file://|index-url|find-links|\.(?:org|com|io)\b", text)


def test_installed_versions_fit_the_ranges() -> None:
    from importlib.metadata import version

    for wanted in WITH_TESTS:
        assert wanted.specifier.contains(version(wanted.name)), wanted


def imports_of(path: Path, source: str | None = None, functions: bool = True) -> Iterator[str]:
    """Full dotted names of the imports of a module, those inside functions included or not."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    waiting: list[ast.AST] = [ast.parse(source if source is not None else path.read_text("utf-8"))]
    while waiting:
        node = waiting.pop()
        if functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            # "from dlbook.tools import cli" imports dlbook.tools.cli
            yield from (f"{base}.{alias.name}" for alias in node.names)


def test_the_walk_over_imports_finds_every_kind() -> None:
    source = "import a.b\nfrom c import d\ndef f():\n    from . import e\n    from ..g import h"
    path = PACKAGE / "models" / "x.py"
    assert set(imports_of(path, source)) == {"a.b", "c.d", "dlbook.models.e", "dlbook.g.h"}
    assert set(imports_of(path, source, functions=False)) == {"a.b", "c.d"}


def starts_with(name: str, modules: Iterable[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_import_is_a_declared_dependency(path: Path) -> None:
    owners = packages_distributions()
    at_once = set(imports_of(path, functions=False))
    for name in imports_of(path):
        top = name.partition(".")[0]
        if top == "dlbook" or top in sys.stdlib_module_names:
            continue
        # what only an extra brings is imported inside functions
        declared = {canonicalize_name(w.name) for w in (ALWAYS if name in at_once else ALL)}
        # a package of an extra that is not installed goes by its own name
        distributions = {canonicalize_name(owner) for owner in owners.get(top, [top])}
        assert distributions & declared, f"{path.name} imports {top}, which is not declared"


# What a folder must not import, and what models import besides Keras and NumPy.
FORBIDDEN = {
    "data": (
        "keras",
        "tensorflow",
        "dlbook.models",
        "dlbook.layers",
        "dlbook.plot",
        "dlbook.train",
    ),
    "plot": (
        "keras",
        "tensorflow",
        "dlbook.models",
        "dlbook.layers",
        "dlbook.data",
        "dlbook.train",
    ),
    "text": ("dlbook.models", "dlbook.plot"),
    "train": ("dlbook.models", "dlbook.data", "dlbook.plot"),
}
KERAS_ONLY = ("keras", "numpy", "dlbook.layers", "dlbook.runtime.quiet_start_up")
# what Keras has no name for: environments, sparse tensors and compiled loops, published weights
BESIDES = ("gymnasium", "tensorflow", "keras_hub")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    folder = path.relative_to(PACKAGE).with_suffix("").parts[0]
    names = {n for n in imports_of(path) if n.partition(".")[0] not in sys.stdlib_module_names}
    wrong = {name for name in names if starts_with(name, FORBIDDEN.get(folder, ()))}
    if folder != "tools":
        wrong |= {name for name in names if starts_with(name, ["dlbook.tools"])}
    if folder in ("layers", "models"):
        allowed = KERAS_ONLY if folder == "layers" else (*KERAS_ONLY, *BESIDES, "dlbook.models")
        wrong |= {name for name in names if not starts_with(name, allowed)}
    assert wrong == set()


def test_there_are_no_circles() -> None:
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        part = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if part != "__init__":
            names = {name.split(".")[1] for name in imports_of(path) if name.startswith("dlbook.")}
            graph.setdefault(part, set()).update(names - {part, "__version__"})
    graphlib.TopologicalSorter(graph).prepare()  # a CycleError names the circle


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_hides_behind_a_name_of_its_package(folder: Path) -> None:
    package = importlib.import_module(".".join(folder.relative_to(ROOT).parts))
    names = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.iterdir()}
    hidden = {n for n in names if not inspect.ismodule(getattr(package, n, package))}
    assert hidden - {"__init__"} == set()


def test_what_a_chapter_imports_from_dlbook() -> None:
    import dlbook

    assert set(dlbook.__all__) == {"CheckError", "__version__", "check", "report", "setup", "show"}


def test_the_drawing_of_the_house_shows_its_folders() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawing = re.search(r"^## The house\n.*?^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[1]
    drawn: list[Path] = []
    for line in drawing.splitlines():
        indent, name = re.match(r"( *)(\S*)", line).groups()
        if name.endswith("/"):
            above = drawn[-1].parts[: len(indent) // 2] if drawn else ()
            drawn.append(Path(*above, name))
    assert [path for path in drawn if not (ROOT / path).is_dir()] == []
    packages = {path.relative_to(ROOT) for path in PACKAGES if path.parent == PACKAGE}
    assert packages == {path for path in drawn if path.parent == Path("dlbook")}
    assert len(drawing.splitlines()) <= 25
