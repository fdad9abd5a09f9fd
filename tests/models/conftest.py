"""What every model is asked: does it learn with all of its weights, and is it whole when saved?"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture
def check_gradients() -> Callable[[keras.Model, np.ndarray], None]:
    """A function of a model and its inputs: a gradient reaches every weight that is learnt."""

    def check(model: keras.Model, x: np.ndarray) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(model(x, training=True) - 1.0))
        gradients = tape.gradient(loss, model.trainable_variables)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            assert gradient is not None, variable.path
            assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.path

    return check


@pytest.fixture
def check_saving(tmp_path: Path) -> Callable[[keras.Model, np.ndarray], None]:
    """A function of a model and its inputs: saved and loaded, it gives the same output."""

    def check(model: keras.Model, x: np.ndarray) -> None:
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(loaded(x), model(x))

    return check
