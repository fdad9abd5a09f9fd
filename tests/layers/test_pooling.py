"""Pooling over time against sums by hand: padding is left out, in any precision."""

import keras
import numpy as np
import pytest

from dlbook.layers.pooling import PoolOverTime

GENERATOR = np.random.default_rng(0)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_pooling_leaves_padding_out(scale):
    x = (scale * GENERATOR.uniform(-1, 0, size=(3, 5, 2))).astype("float32")
    mask = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 0], [1, 1, 1, 1, 1]], bool)
    x[~mask] = 7.0
    pooled = np.asarray(PoolOverTime()(x, mask=mask))
    for row in range(3):
        kept = x[row][mask[row]]
        np.testing.assert_allclose(pooled[row], [*kept.mean(axis=0), *kept.max(axis=0)], rtol=1e-5)
    np.testing.assert_allclose(PoolOverTime()(x)[2], pooled[2], rtol=1e-5)


def test_pooling_of_nothing_is_zero():
    pooled = PoolOverTime()(np.full((2, 3, 1), -3.0), mask=np.array([[1, 1, 0], [0, 0, 0]]))
    assert np.asarray(pooled).tolist() == [[-3, -3], [0, 0]]


@pytest.mark.parametrize("policy", ["float64", "mixed_float16", "bfloat16"])
def test_pooling_counts_many_steps_in_any_precision(policy):
    x, mask = np.full((1, 1_000, 1), -3.0), np.arange(1_000)[None] < 999
    pooled = PoolOverTime(dtype=policy)(x, mask=mask)
    assert pooled.dtype == keras.DTypePolicy(policy).compute_dtype
    np.testing.assert_array_equal(keras.ops.cast(pooled, "float32"), [[-3, -3]])
