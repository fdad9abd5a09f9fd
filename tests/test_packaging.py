"""One list of dependencies, three files that agree on it, and imports that run one way."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
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


def imports_of(path: Path, source: str | None = None) -> Iterator[str]:
    """Full dotted names of all imports of a module, those inside functions included."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(source if source is not None else path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            # "from dlbook.tools import cli" imports dlbook.tools.cli
            yield from (f"{base}.{alias.name}" for alias in node.names)


def test_the_walk_over_imports_finds_every_kind() -> None:
    source = "import a.b\nfrom c import d\ndef f():\n    from . import e\n    from ..g import h"
    found = set(imports_of(PACKAGE / "models" / "x.py", source))
    assert found == {"a.b", "c.d", "dlbook.models.e", "dlbook.g.h"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_import_is_a_declared_dependency(path: Path) -> None:
    # what only an extra brings is imported inside functions
    wanted_by = ALL if path.name in ("gpt.py", "grading.py") else ALWAYS
    declared = {canonicalize_name(wanted.name) for wanted in wanted_by}
    owners = packages_distributions()
    for name in imports_of(path):
        top = name.partition(".")[0]
        if top == "dlbook" or top in sys.stdlib_module_names:
            continue
        # a package of an extra that is not installed goes by its own name
        distributions = {canonicalize_name(owner) for owner in owners.get(top, [top])}
        assert distributions & declared, f"{path.name} imports {top}, which is not declared"


# what modules of dlbook/models import besides Keras and NumPy, because Keras has no such thing
BESIDES = {
    "batches.py": ("tensorflow",),  # sparse tensors, data sets
    "dqn.py": ("gymnasium", "tensorflow"),  # environments; compiled updates
    "dqn_listing.py": ("gymnasium",),
    "generation.py": ("tensorflow",),  # a compiled loop
    "gpt.py": ("keras_hub",),  # published weights
    "layers.py": ("tensorflow",),  # dropout of sparse tensors
    "rollout.py": ("gymnasium",),
}


def breaks_rule(name: str, forbidden: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in forbidden)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    part = path.relative_to(PACKAGE).parts[0]
    names = set(imports_of(path))
    if part == "models":
        allowed = ("keras", "numpy", "dlbook.models", "dlbook.runtime.quiet_start_up")
        allowed += BESIDES.get(path.name, ())
        foreign = {n for n in names if not breaks_rule(n, allowed)}
        assert {n for n in foreign if n.partition(".")[0] not in sys.stdlib_module_names} == set()
    forbidden = {
        "data": ("keras", "tensorflow", "dlbook.models", "dlbook.plot", "dlbook.train"),
        "plot": ("dlbook.models", "dlbook.data", "dlbook.train"),
    }.get(part, ())
    if part != "cli.py":
        forbidden += ("dlbook.tools.cli",)
    assert {name for name in names if breaks_rule(name, forbidden)} == set()
