"""The registry's entries, and what it refuses."""

from __future__ import annotations

import pytest

from dlbook.data import COLLECTIONS, DataSettingError, RemoteFile, get_collection

HASH = "0" * 64


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
        for file in collection.files:
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


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (("../evil", 1, HASH), "stay in its folder"),
        (("toy/../../evil", 1, HASH), "stay in its folder"),
        (("/etc/passwd", 1, HASH), "stay in its folder"),
        (("toy\\evil", 1, HASH), "stay in its folder"),
        (("", 1, HASH), "stay in its folder"),
        (("toy/a", 0, HASH), "size"),
        (("toy/a", 1, "abc"), "sha256"),
        (("toy/a", 1, HASH.replace("0", "A")), "sha256"),
        (("toy/a", 1, HASH, ("ftp://host/a",)), "http"),
    ],
)
def test_impossible_entries_are_refused(entry, words):
    with pytest.raises(ValueError, match=words):
        RemoteFile(*entry)
