"""The registry's entries, and what it refuses."""

import re
from pathlib import PurePosixPath

import pytest

from dlbook.data import COLLECTIONS, DataSettingError, get_collection


def test_names_paths_and_terms_are_in_order():
    paths = [file.path for collection in COLLECTIONS.values() for file in collection.files]
    assert len(paths) == len(set(paths))
    for name, collection in COLLECTIONS.items():
        assert collection.name == name
        assert collection.files
        assert collection.size == sum(file.size for file in collection.files)
        assert collection.licence
        assert collection.citation
        assert collection.homepage.startswith("https://")
        for file in (form for whole in collection.files for form in whole.forms):
            # a path that leaves its folder would let an entry overwrite any file
            assert not PurePosixPath(file.path).is_absolute()
            assert not {"..", "."} & set(file.path.split("/"))
            assert "\\" not in file.path
            assert file.size > 0
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert all(url.startswith("https://") for url in file.urls)
            assert len(set(file.urls)) == len(file.urls)


def test_mnist_has_two_public_hosts_for_each_file():
    mnist = get_collection("mnist")
    assert len(mnist.files) == 4
    for file in mnist.files:
        assert len(file.urls) == 2
        assert all(url.endswith("/mnist/" + file.name) for url in file.urls)


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(DataSettingError, match=r"'mnits'.*mnist"):
        get_collection("mnits")
