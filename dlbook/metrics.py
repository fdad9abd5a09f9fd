"""Figures that compare what a model made with what it should have made."""

import numpy as np


def frechet_distance(features_a: np.ndarray, features_b: np.ndarray) -> float:
    """The squared Fréchet distance between two samples, each taken for a normal distribution.

    With means m and covariances C it is ‖m_a − m_b‖² + tr(C_a + C_b − 2 (C_a C_b)^½), the closed
    form of D. C. Dowson and B. V. Landau: The Fréchet distance between multivariate normal
    distributions, 1982. On the features of an image classifier it is the "FID" of M. Heusel and
    others: GANs trained by a two time-scale update rule, 2017. It grows when the second sample
    lacks quality and also when it lacks variety. Small samples make it too large, so compare
    samples of one size only.

    Args:
        features_a: (samples, features), finite numbers.
        features_b: (other samples, features); the number of samples may be another one, and in
            both smaller than that of features.

    Returns:
        The distance, 0 for equal means and covariances; the square of the features' unit.

    Raises:
        ValueError: when the shapes do not fit, a sample has fewer than two rows, or a number is
            not finite.
    """
    samples = []
    for name, features in (("features_a", features_a), ("features_b", features_b)):
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or len(features) < 2:
            raise ValueError(
                f"{name} must have the shape (samples, features) with two samples or more, "
                f"not {features.shape}"
            )
        if not np.isfinite(features).all():
            raise ValueError(f"{name} must be finite numbers")
        samples.append(features)
    if samples[0].shape[1] != samples[1].shape[1]:
        raise ValueError(
            f"features_a has {samples[0].shape[1]} features and features_b {samples[1].shape[1]}"
        )
    means = [features.mean(axis=0) for features in samples]
    # C = Rᵀ R with R = centred features / √(n − 1)
    roots = [
        (features - mean) / np.sqrt(len(features) - 1)
        for features, mean in zip(samples, means, strict=True)
    ]
    # tr (C_a C_b)^½ is the sum of the singular values of R_a R_bᵀ: no square root of a matrix,
    # so no complex numbers where a covariance is singular
    factors = [np.linalg.qr(root, mode="r") for root in roots]  # (min(samples, features), features)
    shared = np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum()
    spread = sum(np.square(root).sum() for root in roots)
    return float(max(np.square(means[0] - means[1]).sum() + spread - 2 * shared, 0.0))
