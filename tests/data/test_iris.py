"""Iris: real data in every mode."""

import numpy as np
import pytest

from dlbook.data import load_iris


@pytest.mark.parametrize("wanted", ["auto", "real", "stand-in"])
def test_iris_is_real_in_every_mode(monkeypatch, wanted):
    monkeypatch.setenv("DLBOOK_DATA", wanted)
    iris = load_iris()
    assert iris.source == "scikit-learn"
    assert not iris.is_stand_in
    assert iris.x.shape == (150, 4)
    assert iris.x.dtype == np.float32
    assert iris.y.dtype == np.int32
    assert np.bincount(iris.y).tolist() == [50, 50, 50]
    assert iris.class_names == ("setosa", "versicolor", "virginica")
    assert len(iris.feature_names) == 4
    assert all(name.endswith("(cm)") for name in iris.feature_names)
    assert "Fisher" in iris.describe()


def test_iris_has_fishers_numbers_not_those_of_the_uci_file():
    x = load_iris().x
    assert x[34].tolist() == pytest.approx([4.9, 3.1, 1.5, 0.2])  # UCI: 0.1
    assert x[37].tolist() == pytest.approx([4.9, 3.6, 1.4, 0.1])  # UCI: 3.1, 1.5
