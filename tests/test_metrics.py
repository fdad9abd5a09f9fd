"""The Fréchet distance against closed forms and against SciPy's matrix square root."""

import numpy as np
import pytest
from scipy import linalg

from dlbook.metrics import frechet_distance

RNG = np.random.default_rng(0)


def with_moments(mean, covariance, count: int = 500) -> np.ndarray:
    """A sample with exactly this mean and covariance."""
    features = RNG.normal(size=(count, len(mean)))
    features -= features.mean(axis=0)
    features @= np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(features.T)))).T
    return features @ np.linalg.cholesky(covariance).T + mean


@pytest.mark.parametrize(("count", "features"), [(300, 20), (10, 64), (2, 5)])
def test_equal_features_give_nothing(count, features):
    sample = 100 + 30 * RNG.normal(size=(count, features))
    assert frechet_distance(sample, sample) <= 1e-6 * sample.var(axis=0).sum()
    assert frechet_distance(sample, sample[::-1]) <= 1e-6 * sample.var(axis=0).sum()


def test_moved_sample_is_its_shift_away():
    sample = RNG.normal(size=(50, 3))
    assert frechet_distance(sample, sample + np.array([3, 0, -4])) == pytest.approx(25)


def test_distance_of_known_normal_distributions():
    # in one dimension: (m_a − m_b)² + (s_a − s_b)²
    a, b = with_moments([1.0], [[4.0]]), with_moments([4.0], [[25.0]], 900)
    assert frechet_distance(a, b) == pytest.approx(9 + 9)
    # covariances with common axes: the same along each axis
    a = with_moments([0.0, 0.0], np.diag([1.0, 9.0]))
    b = with_moments([0.0, 2.0], np.diag([16.0, 4.0]))
    assert frechet_distance(a, b) == pytest.approx(4 + 9 + 1)


def test_covariances_with_other_axes_need_the_square_root_of_their_product():
    first, second = np.array([[2.0, 1.5], [1.5, 3.0]]), np.array([[4.0, -1.0], [-1.0, 1.0]])
    a, b = with_moments([0.0, 0.0], first), with_moments([1.0, 0.0], second)
    root = linalg.sqrtm(first @ second).real
    expected = 1 + np.trace(first + second - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected)
    # the traces of the square roots alone would say something else
    diagonal = np.sqrt(np.diag(first) * np.diag(second)).sum()
    assert abs(expected - (1 + np.trace(first + second) - 2 * diagonal)) > 0.1


def test_distance_is_symmetric_also_with_fewer_samples_than_features():
    a, b = RNG.normal(size=(12, 40)), 2 + RNG.normal(size=(20, 40))
    there, back = frechet_distance(a, b), frechet_distance(b, a)
    assert isinstance(there, float)
    assert there == pytest.approx(back)
    covariance_a, covariance_b = np.cov(a.T), np.cov(b.T)
    half = linalg.sqrtm(covariance_a + 1e-12 * np.eye(40)).real
    inner = linalg.eigvalsh(half @ covariance_b @ half).clip(0)
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(covariance_a + covariance_b)
    assert there == pytest.approx(expected - 2 * np.sqrt(inner).sum(), rel=1e-4)


def test_a_sample_without_variety_is_far_away():
    real = RNG.normal(size=(200, 8))
    assert frechet_distance(real, real[:1].repeat(200, axis=0)) > frechet_distance(real, real[:100])


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (np.zeros(3), np.zeros((3, 3)), r"features_a must have the shape .* not \(3,\)"),
        (np.zeros((3, 3)), np.zeros((1, 3)), r"features_b .* not \(1, 3\)"),
        (np.zeros((3, 3)), np.zeros((3, 4)), "3 features and features_b 4"),
        (np.full((3, 3), np.nan), np.zeros((3, 3)), "features_a must be finite"),
    ],
)
def test_what_has_no_distance_is_refused(a, b, words):
    with pytest.raises(ValueError, match=words):
        frechet_distance(a, b)
