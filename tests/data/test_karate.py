"""The karate club: real data in every mode."""

import numpy as np
import pytest

from dlbook.data import load_karate_club


@pytest.mark.parametrize("wanted", ["auto", "real", "stand-in"])
def test_the_karate_club_is_real_in_every_mode(monkeypatch, wanted):
    monkeypatch.setenv("DLBOOK_DATA", wanted)
    club = load_karate_club()
    assert club.source == "networkx"
    assert not club.is_stand_in
    assert (club.num_nodes, len(club.edges)) == (34, 2 * 78)
    assert club.labels.dtype == np.int32
    assert np.bincount(club.labels).tolist() == [17, 17]
    assert club.labels[club.train].tolist() == [0, 1]  # the two leaders
    assert club.degrees[[0, 33]].tolist() == [16, 17]
    assert len(club.test) == 32
    assert "Zachary" in club.describe()
