"""Every collection has its stand-in, which is light to import and has terms of its own."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from dlbook.data import COLLECTIONS, stand_ins

FILES = {path.stem for path in Path(stand_ins.__file__).parent.glob("[a-z]*.py")}


def test_every_collection_has_a_stand_in_and_every_stand_in_a_collection():
    assert {name.replace("-", "_") for name in COLLECTIONS} == FILES


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_stand_in_has_terms_of_its_own(name):
    made = import_module(f"dlbook.data.stand_ins.{name}")
    real = COLLECTIONS[name.replace("_", "-")]
    for words, real_words in ((made.LICENCE, real.licence), (made.CITATION, real.citation)):
        assert words
        assert words != real_words
    assert made.NOTE.endswith(".")


def test_importing_the_stand_ins_loads_nothing_heavy():
    heavy = {"sklearn", "networkx", "scipy", "keras", "tensorflow", "requests", "rich"}
    code = "import sys\n" + "".join(f"import dlbook.data.stand_ins.{n}\n" for n in sorted(FILES))
    code += f"print(sorted({heavy} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
