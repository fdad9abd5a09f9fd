"""Neural radiance fields: rays, rendering and fields against formulas, state, bad input."""

import itertools
import math
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from dlbook import train
from dlbook.models import nerf as module
from dlbook.models.nerf import RadianceField, VoxelGrid

RNG = np.random.default_rng(0)
BOX = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))


@keras.saving.register_keras_serializable(package="tests")
class Ball(layers.Layer):
    """A ball of even density at a place, with one colour; fog elsewhere."""

    def __init__(self, radius=0.6, density=5.0, fog=0.0, middle=(0.0, 0.0, 0.0), **kwargs):
        super().__init__(**kwargs)
        self.settings = {"radius": radius, "density": density, "fog": fog, "middle": middle}
        self.colour = self.add_weight(shape=(3,), initializer="zeros", name="colour")
        self.colour.assign([0.8, 0.4, 0.1])
        self.built = True

    def call(self, inputs):
        points, _ = inputs
        s = self.settings
        squared = ops.sum(ops.square(points - ops.convert_to_tensor(s["middle"])), axis=-1)
        density = ops.where(squared < s["radius"] ** 2, s["density"], s["fog"])
        return ops.cast(density, "float32"), ops.ones_like(points) * self.colour

    def get_config(self):
        return {**super().get_config(), **self.settings}


def directions(count: int) -> np.ndarray:
    found = RNG.normal(size=(count, 3))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype("float32")


def rays_at_ball(count: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """From a sphere of radius 3 towards places in the box."""
    origins = 3 * directions(count)
    towards = RNG.uniform(-0.7, 0.7, (count, 3)) - origins
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    return origins.astype("float32"), towards.astype("float32")


def as_numpy(tree):
    return keras.tree.map_structure(ops.convert_to_numpy, tree)


def small_grid(**settings) -> VoxelGrid:
    grid = VoxelGrid(**{"resolution": (3, 4, 5), "box": BOX, "density_bias": -3.0, **settings})
    grid.values.assign(RNG.normal(size=grid.values.shape))
    return grid


# --- rays


def test_the_middle_of_a_picture_looks_along_minus_z_and_row_0_is_the_top() -> None:
    origins, towards = module.camera_rays(np.eye(4), 3, 5, focal=2.0)
    assert origins.shape == towards.shape == (3, 5, 3)
    assert origins.dtype == towards.dtype == np.float32
    np.testing.assert_allclose(towards[1, 2], [0, 0, -1], atol=1e-7)
    np.testing.assert_allclose(towards[0, 4], np.array([1, 0.5, -1]) / 1.5, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(towards, axis=-1), 1, rtol=1e-6)
    assert not origins.any()


def test_a_point_on_a_ray_is_projected_back_to_its_pixel() -> None:
    poses = np.stack([module.look_at(*angles, 3.0) for angles in [(10, 20), (200, -50), (90, 80)]])
    origins, towards = module.camera_rays(poses, 6, 8, focal=7.0)
    assert origins.shape == (3, 6, 8, 3)
    for camera, pose in enumerate(poses):
        points = origins[camera] + 2.5 * towards[camera]
        inverse = np.linalg.inv(pose.astype(float))
        local = points @ inverse[:3, :3].T + inverse[:3, 3]
        columns = 7 * local[..., 0] / -local[..., 2] + 8 / 2 - 0.5
        rows = -7 * local[..., 1] / -local[..., 2] + 6 / 2 - 0.5
        np.testing.assert_allclose(columns, np.tile(np.arange(8), (6, 1)), atol=1e-4)
        np.testing.assert_allclose(rows.T, np.tile(np.arange(6), (8, 1)), atol=1e-4)


def test_a_camera_looks_at_the_origin_with_z_upwards() -> None:
    pose = module.look_at(30, 40, 4.0)
    assert np.linalg.det(pose[:3, :3]) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(pose[:3, :3].T @ pose[:3, :3], np.eye(3), atol=1e-6)
    np.testing.assert_allclose(pose[:3, 3] - 4 * pose[:3, 2], 0, atol=1e-6)  # looks along −z
    assert pose[2, 0] == pytest.approx(0, abs=1e-7)  # the horizon is level
    assert pose[2, 1] > 0
    assert pose[2, 3] == pytest.approx(4 * math.sin(math.radians(40)), rel=1e-6)
    for elevation in (90, -100, float("nan")):
        with pytest.raises(ValueError, match="elevation"):
            module.look_at(0, elevation)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"poses": np.eye(3)}, r"\(\.\.\., 4, 4\)"),
        ({"poses": np.zeros((2, 3, 4))}, r"not \(2, 3, 4\)"),
        ({"poses": np.full((4, 4), np.nan)}, "NaN"),
        ({"height": 0}, "positive"),
        ({"width": -1}, "positive"),
        ({"focal": 0.0}, "positive"),
        ({"focal": float("nan")}, "positive"),
    ],
)
def test_cameras_without_sense_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        module.camera_rays(
            **{"poses": np.eye(4), "height": 2, "width": 2, "focal": 1.0, **settings}
        )


def clipped(origin, towards) -> list[float]:
    origins, rays = (np.array([x], "float32") for x in (origin, towards))
    return [float(x[0]) for x in module.clip_to_box(origins, rays, BOX)]


def test_rays_are_clipped_to_the_box() -> None:
    assert clipped((0, 0, 3), (0, 0, -1)) == pytest.approx([2, 4])
    assert clipped((0.5, 0, 0), (1, 0, 0)) == pytest.approx([0, 0.5])  # from inside
    half = math.sqrt(0.5)
    entry, leave = clipped((2, 0, 0), (-half, half, 0))
    assert (entry, leave) == pytest.approx((math.sqrt(2), math.sqrt(2)), rel=1e-5)  # an edge
    for origin, towards in [
        ((0, 0, 3), (0, 0, 1)),  # behind the origin
        ((0, 2, 3), (0, 0, -1)),  # past it, parallel to a face
        ((3, 3, 3), (half, -half, 0)),
    ]:
        entry, leave = clipped(origin, towards)
        assert entry == leave
    entry, leave = clipped((1, 0, 3), (0, 0, -1))  # in the plane of a face
    assert np.isfinite([entry, leave]).all()


def test_the_clipped_part_of_a_ray_is_the_one_inside() -> None:
    origins, towards = rays_at_ball(200)
    origins[:60] *= 0.2  # some begin inside
    entry, leave = as_numpy(module.clip_to_box(origins, towards, BOX))
    steps = np.arange(0, 6, 0.01)
    points = origins[:, None] + towards[:, None] * steps[:, None]
    inside = (np.abs(points) < 1).all(axis=-1)
    np.testing.assert_allclose(inside.sum(axis=1) * 0.01, leave - entry, atol=0.011)
    found = (steps > entry[:, None]) & (steps < leave[:, None])
    assert (found == inside).mean() > 0.999


# --- rendering


def weights_by_hand(density: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Piece after piece, as light runs backwards from the camera."""
    weights = np.zeros_like(density)
    left = np.ones(density.shape[:-1])
    for piece in range(density.shape[-1]):
        through = np.exp(-density[..., piece] * lengths[..., piece])
        weights[..., piece] = left * (1 - through)
        left = left * through
    return weights


def test_weights_equal_a_walk_along_the_ray() -> None:
    density, lengths = RNG.exponential(3, (5, 4, 9)), RNG.uniform(0.05, 0.4, (5, 4, 9))
    found = as_numpy(module.render_weights(*map(np.float32, (density, lengths))))
    np.testing.assert_allclose(found, weights_by_hand(density, lengths), atol=1e-6)
    assert (found >= 0).all()
    total = found.sum(axis=-1)
    assert (total <= 1 + 1e-6).all()
    np.testing.assert_allclose(total, 1 - np.exp(-(density * lengths).sum(axis=-1)), atol=1e-6)


def test_extreme_densities() -> None:
    weights = as_numpy(
        module.render_weights(np.float32([[0, 0, 0], [0, 1e6, 5], [1e-9, 0, 0]]), 1.0)
    )
    np.testing.assert_array_equal(weights[0], 0)
    np.testing.assert_allclose(weights[1], [0, 1, 0], atol=1e-7)
    assert weights[2, 0] == pytest.approx(1e-9, rel=1e-4)  # 1 − exp(−1e−9) would be 0
    assert module.render_weights(np.zeros((2, 0), "float32"), 1.0).shape == (2, 0)


def test_no_density_brings_the_sum_of_the_weights_over_one() -> None:
    scale = 10.0 ** RNG.uniform(-4, 6, (1000, 1))  # rays through thin air and through rock
    density = scale * RNG.exponential(size=(1000, 64))
    total = as_numpy(module.render_weights(density.astype("float32"), 0.05)).sum(axis=1)
    assert total.max() <= 1 + 1e-6
    np.testing.assert_allclose(total, -np.expm1(-0.05 * density.sum(axis=1)), atol=1e-5)


def test_a_piece_cut_in_two_changes_nothing_but_an_exchange_does() -> None:
    density, lengths = np.float32([2, 1, 4]), np.float32([0.3, 0.5, 0.2])
    whole = as_numpy(module.render_weights(density, lengths))
    parts = as_numpy(
        module.render_weights(np.float32([2, 1, 1, 4]), np.float32([0.3, 0.1, 0.4, 0.2]))
    )
    np.testing.assert_allclose(parts[1] + parts[2], whole[1], rtol=1e-5)
    np.testing.assert_allclose(parts[3], whole[2], rtol=1e-5)
    turned = as_numpy(module.render_weights(density[::-1], lengths[::-1]))[::-1]
    assert np.abs(turned - whole).min() > 0.01
    assert turned.sum() == pytest.approx(whole.sum(), rel=1e-5)  # the opacity is the same


def test_even_fog_as_the_integral_says() -> None:
    density, length, pieces = 1.3, 2.0, 4000
    places = (np.arange(pieces, dtype="float32")[None] + 0.5) * length / pieces
    colour = np.stack([places, np.ones_like(places), 0 * places], axis=-1)
    thick = np.full((1, pieces), density, "float32")
    seen = module.composite(thick, colour, places, length / pieces, background=0.0)
    seen = as_numpy(seen)
    through = math.exp(-density * length)
    mean = 1 / density - through * (length + 1 / density)  # ∫ t σ exp(−σ t) dt
    np.testing.assert_allclose(seen["colour"][0], [mean, 1 - through, 0], rtol=1e-4, atol=1e-6)
    assert seen["opacity"][0] == pytest.approx(1 - through, rel=1e-4)
    assert seen["depth"][0] == pytest.approx(mean / (1 - through), rel=1e-4)
    assert seen["weights"].shape == (1, pieces)


def test_nothing_on_the_ray_shows_the_background_at_depth_0() -> None:
    seen = as_numpy(
        module.composite(
            np.zeros((2, 3), "float32"), np.full((2, 3, 3), 0.5, "float32"),
            np.float32([[1, 2, 3]] * 2), 1.0, background=0.25,
        )
    )  # fmt: skip
    np.testing.assert_array_equal(seen["colour"], np.full((2, 3), 0.25, "float32"))
    np.testing.assert_array_equal(seen["opacity"], 0)
    np.testing.assert_array_equal(seen["depth"], 0)


def test_the_gradient_of_the_weights_equals_finite_differences() -> None:
    density, lengths = RNG.exponential(2, (1, 6)), RNG.uniform(0.1, 0.5, (1, 6))
    factors = RNG.normal(size=6)
    with tf.GradientTape() as tape:
        x = tf.constant(density, tf.float64)
        tape.watch(x)
        loss = tf.reduce_sum(module.render_weights(x, tf.constant(lengths)) * factors)
    found = tape.gradient(loss, x).numpy()[0]
    for piece in range(6):
        moved = [density + sign * 1e-6 * np.eye(6)[piece] for sign in (1, -1)]
        up, down = ((weights_by_hand(d, lengths) * factors).sum() for d in moved)
        assert found[piece] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-8)


def test_psnr_of_each_picture() -> None:
    truth = RNG.random((2, 4, 5, 3)).astype("float32")
    picture = truth.copy()
    picture[0] += 0.1
    found = as_numpy(module.psnr(picture, truth))
    assert found.shape == (2,)
    assert found[0] == pytest.approx(20, abs=1e-3)
    assert found[1] == pytest.approx(120)  # equal pictures: a bound instead of infinity


# --- encodings


def test_positional_encoding_equals_its_formula() -> None:
    x = RNG.uniform(-1, 1, (7, 3)).astype("float32")
    layer = module.PositionalEncoding(4)
    wanted = [x]
    for octave in range(4):
        wanted += [np.sin(2**octave * np.pi * x), np.cos(2**octave * np.pi * x)]
    np.testing.assert_allclose(layer(x), np.concatenate(wanted, axis=-1), atol=1e-5)
    assert layer.compute_output_shape((None, 3)) == (None, 27)
    np.testing.assert_array_equal(module.PositionalEncoding(0)(x), x)
    with pytest.raises(ValueError, match="num_frequencies"):
        module.PositionalEncoding(-1)


def test_fourier_features_equal_their_formula_and_are_saved(check_saving) -> None:
    x = RNG.uniform(0, 1, (6, 2)).astype("float32")
    layer = module.FourierFeatures(5, 3.0, seed=4)
    found = as_numpy(layer(x))
    matrix = 3.0 * np.random.default_rng(4).normal(size=(2, 5))
    wanted = np.concatenate([f(2 * np.pi * x @ matrix) for f in (np.sin, np.cos)], axis=-1)
    np.testing.assert_allclose(found, wanted, atol=1e-4)
    assert layer.trainable_variables == []
    net = module.build_picture_net(10.0, num_waves=8, hidden_units=(6,), seed=2)
    assert net.count_params() - 2 * 8 == (16 + 1) * 6 + (6 + 1) * 3
    check_saving(net, x)
    with pytest.raises(ValueError, match="positive"):
        module.FourierFeatures(0)
    with pytest.raises(ValueError, match="positive"):
        module.FourierFeatures(3, scale=0.0)


def test_a_picture_net_without_encoding_sees_places_round_zero() -> None:
    net = module.build_picture_net(None, hidden_units=(6,))
    inside = keras.Model(net.inputs[0], net.layers[1].output)
    corners = np.float32([[0, 0], [1, 0.5], [0.25, 1]])
    np.testing.assert_allclose(inside(corners), [[-1, -1], [1, 0], [-0.5, 1]], atol=1e-6)
    assert net.count_params() == (2 + 1) * 6 + (6 + 1) * 3


def test_a_gradient_reaches_every_weight_of_the_picture_net(check_gradients) -> None:
    x = RNG.uniform(0, 1, (9, 2)).astype("float32")
    for scale in (None, 5.0):
        check_gradients(module.build_picture_net(scale, hidden_units=(16, 16)), x)


def test_spherical_harmonics_are_orthonormal_on_the_sphere() -> None:
    heights, shares = np.polynomial.legendre.leggauss(8)
    turns = 2 * np.pi * np.arange(16) / 16
    z, turn = np.meshgrid(heights, turns, indexing="ij")
    flat = np.sqrt(1 - z**2)
    places = np.stack([flat * np.cos(turn), flat * np.sin(turn), z], axis=-1)
    for degree in (0, 1, 2):
        waves = as_numpy(module.spherical_harmonics(places.astype("float32"), degree))
        assert waves.shape == (8, 16, (degree + 1) ** 2)
        share = np.repeat(shares[:, None] * 2 * np.pi / 16, 16, axis=1)
        products = np.einsum("ij,ijk,ijl->kl", share, waves, waves)
        np.testing.assert_allclose(products, np.eye((degree + 1) ** 2), atol=1e-5)
    for degree in (-1, 3):
        with pytest.raises(ValueError, match="degree"):
            module.spherical_harmonics(np.zeros((1, 3), "float32"), degree)


# --- the voxel grid


def trilinear_by_hand(values: np.ndarray, point: np.ndarray, box) -> np.ndarray:
    counts = np.array(values.shape[:3])
    place = (point - box[0]) / np.subtract(box[1], box[0]) * (counts - 1)
    place = np.clip(place, 0, counts - 1)
    first = np.minimum(place.astype(int), counts - 2)
    part, total = place - first, 0.0
    for corner in itertools.product((0, 1), repeat=3):
        share = np.prod(np.where(corner, part, 1 - part))
        total = total + share * values[tuple(first + corner)]
    return total


def test_trilinear_look_up_equals_a_loop_inside_and_outside_the_box() -> None:
    box = ((-1.0, 0.0, 2.0), (1.0, 3.0, 2.5))
    values = RNG.normal(size=(3, 4, 2, 5)).astype("float32")
    points = RNG.uniform((-1.5, -1, 1.8), (1.5, 4, 2.7), (100, 3)).astype("float32")
    found = as_numpy(module.trilinear(values, points, box))
    wanted = [trilinear_by_hand(values, point, box) for point in points]
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    nearest = np.clip(points, *map(np.float32, box))
    np.testing.assert_allclose(found, module.trilinear(values, nearest, box), atol=1e-5)


def test_trilinear_look_up_equals_scipy() -> None:
    from scipy.interpolate import RegularGridInterpolator

    values = RNG.normal(size=(4, 5, 6, 2)).astype("float32")
    axes = [np.linspace(-1, 1, n) for n in values.shape[:3]]
    points = RNG.uniform(-1, 1, (200, 3)).astype("float32")
    wanted = RegularGridInterpolator(axes, values)(points)
    np.testing.assert_allclose(module.trilinear(values, points, BOX), wanted, atol=1e-5)
    corners = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    found = module.trilinear(values, corners.astype("float32"), BOX)
    np.testing.assert_allclose(found, values.reshape(-1, 2), atol=1e-5)


def test_the_gradient_of_the_look_up_are_its_eight_shares() -> None:
    values = tf.Variable(tf.zeros((3, 3, 3, 1)))
    with tf.GradientTape() as tape:
        found = module.trilinear(values, np.float32([[0.25, -0.5, 0.9]]), BOX)
    gradient = tf.convert_to_tensor(tape.gradient(found, values)).numpy()
    assert gradient.sum() == pytest.approx(1, rel=1e-5)
    assert (gradient > 0).sum() == 8
    assert gradient[1, 0, 2, 0] == pytest.approx(0.75 * 0.5 * 0.9, rel=1e-4)


def test_a_grid_of_zeros_is_nearly_empty_and_grey() -> None:
    grid = VoxelGrid(4, box=BOX, density_bias=-3.0, density_scale=30.0)
    density, colour = as_numpy(grid([np.zeros((2, 3), "float32"), directions(2)]))
    np.testing.assert_allclose(density, 30 * np.log1p(np.exp(-3)), rtol=1e-5)
    np.testing.assert_allclose(colour, 0.5, rtol=1e-6)


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_the_grid_equals_its_formulas(degree: int) -> None:
    grid = small_grid(degree=degree)
    points, towards = RNG.uniform(-1, 1, (6, 3)).astype("float32"), directions(6)
    density, colour = as_numpy(grid([points, towards]))
    values = as_numpy(grid.values)
    waves = as_numpy(module.spherical_harmonics(towards, degree))
    for row, point in enumerate(points):
        found = trilinear_by_hand(values, point, BOX)
        assert density[row] == pytest.approx(
            30 * np.log1p(np.exp(found[0] - 3)), rel=1e-3, abs=1e-4
        )
        factors = found[1:].reshape(3, -1)
        np.testing.assert_allclose(colour[row], 1 / (1 + np.exp(-factors @ waves[row])), atol=1e-5)
    _, turned = as_numpy(grid([points, -towards]))
    assert (np.abs(turned - colour).max() > 1e-3) == (degree > 0)


def test_a_finer_grid_has_the_same_values() -> None:
    grid = small_grid()
    part = ((-1.0, -0.5, 0.0), (1.0, 0.5, 1.0))
    fine = grid.resampled(9, part)
    assert fine.resolution == (9, 5, 5)
    assert fine.box == part
    # a grid point of the new one has what the old one says there
    axes = [np.linspace(a, b, n) for a, b, n in zip(*part, fine.resolution, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    arguments = [points.astype("float32"), directions(len(points))]
    for one, other in zip(as_numpy(grid(arguments)), as_numpy(fine(arguments)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("resolution", [1, (3, 3), (3, 1, 3)])
def test_grids_without_sense_are_refused(resolution) -> None:
    with pytest.raises(ValueError, match="resolution must be 2 or more"):
        VoxelGrid(resolution)


# --- the net


def test_parameters_and_shapes_of_the_mlp() -> None:
    net = module.build_mlp(
        units=10, depth=3, skip=2, position_frequencies=2, direction_frequencies=1
    )
    place, towards = 3 * 5, 3 * 3
    hidden = (place + 1) * 10 + 11 * 10 + (10 + place + 1) * 10
    wanted = hidden + 11 + 11 * 10 + (10 + towards + 1) * 5 + 6 * 3
    assert sum(math.prod(w.shape) for w in net.trainable_weights) == wanted
    points = RNG.uniform(-1.2, 1.2, (7, 3)).astype("float32")
    density, colour = as_numpy(net([points, directions(7)]))
    assert (density.shape, colour.shape) == ((7,), (7, 3))
    assert (density >= 0).all()
    assert ((colour > 0) & (colour < 1)).all()
    other, turned = as_numpy(net([points, directions(7)]))
    np.testing.assert_array_equal(density, other)  # the density has no direction
    assert np.abs(turned - colour).max() > 1e-4


def test_the_net_at_its_full_size_is_the_papers() -> None:
    net = module.build_mlp()
    names = [layer.name for layer in net.layers]
    assert sum(isinstance(layer, layers.Dense) for layer in net.layers) == 8 + 1 + 1 + 1 + 1
    assert "skip" in names
    assert net.get_layer("encoded_place").output.shape == (None, 63)
    assert net.get_layer("encoded_direction").output.shape == (None, 27)


def test_the_scale_of_the_net_multiplies_its_density() -> None:
    points, towards = RNG.uniform(-1.2, 1.2, (7, 3)).astype("float32"), directions(7)
    found = []
    for scale in (1.0, 25.0):
        keras.utils.set_random_seed(0)
        net = module.build_mlp(units=8, depth=1, skip=None, density_bias=-2.0, density_scale=scale)
        found.append(as_numpy(net([points, towards])))
    np.testing.assert_allclose(found[1][0], 25 * found[0][0], rtol=1e-5)
    np.testing.assert_array_equal(found[1][1], found[0][1])
    assert float(net.get_layer("density").bias[0]) == -2


def test_a_net_without_directions_and_the_box_scaled_to_one() -> None:
    box = ((0.0, -2.0, 4.0), (1.0, 2.0, 6.0))
    net = module.build_mlp(
        units=8, depth=2, skip=None, position_frequencies=1, direction_frequencies=None, box=box
    )
    points = RNG.uniform(*box, (5, 3)).astype("float32")
    one, other = (as_numpy(net([points, directions(5)])) for _ in range(2))
    np.testing.assert_array_equal(one[1], other[1])
    inside = keras.Model(net.inputs[0], net.get_layer("encoded_place").output)
    scaled = 2 * (points - box[0]) / np.subtract(box[1], box[0]) - 1
    np.testing.assert_allclose(as_numpy(inside(points))[:, :3], scaled, atol=1e-5)


# --- the radiance field


def rendered(field, rays, **settings) -> dict[str, np.ndarray]:
    return as_numpy(RadianceField(field, BOX, **settings)(rays))


def test_the_field_equals_the_composition_by_hand() -> None:
    origins, towards = rays_at_ball(12)
    grid = small_grid(density_scale=2.0)
    found = rendered(grid, (origins, towards), samples=7, background=0.5)
    entry, leave = as_numpy(module.clip_to_box(origins, towards, BOX))
    length = (leave - entry) / 7
    distances = entry[:, None] + length[:, None] * (np.arange(7) + 0.5)
    points = origins[:, None] + towards[:, None] * distances[..., None]
    flat = [points.reshape(-1, 3), np.repeat(towards, 7, axis=0)]
    density, colour = as_numpy(grid([x.astype("float32") for x in flat]))
    weights = weights_by_hand(density.reshape(12, 7), np.repeat(length[:, None], 7, axis=1))
    opacity = weights.sum(axis=1)
    seen = (weights[..., None] * colour.reshape(12, 7, 3)).sum(axis=1) + 0.5 * (1 - opacity)[
        :, None
    ]
    np.testing.assert_allclose(found["opacity"], opacity, atol=1e-4)
    np.testing.assert_allclose(found["colour"], seen, atol=1e-4)
    depth = (weights * distances).sum(axis=1) / opacity
    np.testing.assert_allclose(found["depth"], depth, rtol=1e-3)


def test_a_ball_of_even_density_stops_light_by_its_chord() -> None:
    origins, towards = rays_at_ball(40)
    found = rendered(Ball(0.6, 2.0), (origins, towards), samples=2000, background=0.0)
    apart = np.linalg.norm(np.cross(origins, towards), axis=1)  # of the ray from the middle
    chord = 2 * np.sqrt(np.maximum(0.6**2 - apart**2, 0))
    opacity = 1 - np.exp(-2 * chord)
    np.testing.assert_allclose(found["opacity"], opacity, atol=5e-3)
    np.testing.assert_allclose(
        found["colour"], opacity[:, None] * np.float32([0.8, 0.4, 0.1]), atol=5e-3
    )


def test_the_depth_of_a_solid_ball_is_where_the_ray_meets_it() -> None:
    origins, towards = rays_at_ball(40)
    found = rendered(Ball(0.6, 1e4), (origins, towards), samples=1000)
    along = -(origins * towards).sum(axis=1)
    apart = np.linalg.norm(np.cross(origins, towards), axis=1)
    hit = apart < 0.55
    assert 10 < hit.sum() < 40
    wanted = along[hit] - np.sqrt(0.36 - apart[hit] ** 2)
    np.testing.assert_allclose(found["depth"][hit], wanted, atol=0.01)
    np.testing.assert_allclose(found["opacity"][hit], 1, atol=1e-5)
    missed = apart > 0.61
    np.testing.assert_array_equal(found["opacity"][missed], 0)
    np.testing.assert_array_equal(found["colour"][missed], 1)


def test_rays_that_miss_the_box_show_the_background() -> None:
    origins = np.float32([[0, 0, 3], [0, 0, 3], [5, 0, 0]])
    towards = np.float32([[0, 0, 1], [0, 1, 0], [0, 0, 1]])
    for training in (False, True):
        model = RadianceField(Ball(fog=1.0), BOX, samples=4, background=0.3)
        found = as_numpy(model((origins, towards), training=training))
        np.testing.assert_allclose(found["colour"], 0.3, rtol=1e-6)
        np.testing.assert_array_equal(found["opacity"], 0)
        np.testing.assert_array_equal(found["depth"], 0)
    model.compile(keras.optimizers.SGD(0.1))
    logs = model.train_on_batch((origins, towards), np.zeros((3, 3), "float32"), return_dict=True)
    assert logs["loss"] == pytest.approx(0.09, rel=1e-5)


def test_the_order_of_rays_and_how_many_at_once_change_nothing() -> None:
    rays = rays_at_ball(30)
    model = RadianceField(small_grid(), BOX, samples=8)
    whole = as_numpy(model(rays))
    order = RNG.permutation(30)
    turned = as_numpy(model(tuple(x[order] for x in rays)))
    halves = [as_numpy(model(tuple(x[rows] for x in rays))) for rows in np.split(np.arange(30), 3)]
    for name, values in whole.items():
        np.testing.assert_allclose(turned[name], values[order], atol=1e-5)
        np.testing.assert_allclose(np.concatenate([h[name] for h in halves]), values, atol=1e-5)


def test_empty_cells_are_left_out_without_a_change() -> None:
    rays = rays_at_ball(30)
    model = RadianceField(Ball(0.4, 50.0, middle=(0.3, 0.2, -0.1)), BOX, samples=40, cells=16)
    whole = as_numpy(model(rays))
    share = model.update_occupancy()
    assert 0.02 < share < 0.15
    for name, values in as_numpy(model(rays)).items():
        np.testing.assert_allclose(values, whole[name], atol=1e-5)
    marked = as_numpy(model.occupied).reshape(16, 16, 16) > 0.5
    middles = (np.arange(16) + 0.5) / 8 - 1
    x, y, z = np.meshgrid(middles, middles, middles, indexing="ij")
    apart = np.sqrt((x - 0.3) ** 2 + (y - 0.2) ** 2 + (z + 0.1) ** 2)
    assert marked[apart < 0.4].all()
    assert not marked[apart > 0.4 + 3 * math.sqrt(3) / 8].any()
    low, high = model.occupied_box()
    for axis, middle in enumerate((0.3, 0.2, -0.1)):
        assert low[axis] <= middle - 0.4
        assert high[axis] >= middle + 0.4
        assert high[axis] - low[axis] < 0.8 + 4 / 8 + 1e-6
    wide_low, wide_high = model.occupied_box(margin=9.0)
    assert (wide_low, wide_high) == BOX


def test_space_that_is_empty_everywhere_stays_as_it_was() -> None:
    model = RadianceField(Ball(density=0.0), BOX, samples=4, cells=5)
    assert model.update_occupancy() == 0
    assert (as_numpy(model.occupied) == 1).all()


def test_cells_are_numbered_by_place() -> None:
    model = RadianceField(Ball(), ((0.0, 0.0, 0.0), (4.0, 2.0, 2.0)), cells=2)
    points = np.float32([[1, 0.5, 0.5], [3, 0.5, 0.5], [1, 0.5, 1.5], [3, 1.5, 1.5], [9, -9, 4]])
    np.testing.assert_array_equal(model.cell_of(points), [0, 4, 1, 7, 5])


def test_samples_in_training_are_anywhere_in_their_piece_and_follow_the_seed() -> None:
    rays = rays_at_ball(5)
    models = [RadianceField(small_grid(), BOX, samples=5, seed=3) for _ in range(2)]
    models[1].field.values.assign(models[0].field.values)
    first, other = (as_numpy(model(rays, training=True))["depth"] for model in models)
    np.testing.assert_allclose(first, other, rtol=1e-5)
    again = as_numpy(models[0](rays, training=True))["depth"]
    assert np.abs(again - first).max() > 1e-4
    still = [as_numpy(models[0](rays))["depth"] for _ in range(2)]
    np.testing.assert_array_equal(*still)


def test_a_gradient_reaches_every_weight_of_both_fields() -> None:
    rays = rays_at_ball(64)
    net = module.build_mlp(units=16, depth=3, skip=1, position_frequencies=3)
    grid = small_grid()
    for field in (net, grid):
        model = RadianceField(field, BOX, samples=16)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(rays, training=True)["colour"] - 0.2))
        gradients = tape.gradient(loss, model.trainable_variables)
        assert len(gradients) == len(field.trainable_variables)
        for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
            assert np.abs(tf.convert_to_tensor(gradient)).max() > 0, variable.path


def test_a_step_changes_the_loss_as_the_mean_of_squared_errors() -> None:
    rays, targets = rays_at_ball(16), RNG.random((16, 3)).astype("float32")
    model = RadianceField(small_grid(), BOX, samples=4, seed=1)
    twin = RadianceField(small_grid(), BOX, samples=4, seed=1)
    twin.field.values.assign(model.field.values)
    wanted = ((as_numpy(twin(rays, training=True))["colour"] - targets) ** 2).mean()
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.train_on_batch(rays, targets, return_dict=True)
    assert logs["loss"] == pytest.approx(wanted, rel=1e-4)
    assert logs["psnr"] == pytest.approx(-10 * np.log10(wanted), rel=1e-4)


def scene() -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    rays = rays_at_ball(600)
    return rays, rendered(Ball(0.5, 30.0, middle=(0.2, 0, 0)), rays, samples=200)["colour"]


@pytest.mark.parametrize("kind", ["grid", "net"])
def test_it_learns_a_ball(kind: str) -> None:
    keras.utils.set_random_seed(0)
    rays, colours = scene()
    if kind == "grid":
        field = VoxelGrid(12, degree=0, box=BOX)
    else:
        field = module.build_mlp(
            units=32,
            depth=2,
            skip=None,
            position_frequencies=3,
            direction_frequencies=None,
            box=BOX,
        )
    model = RadianceField(field, BOX, samples=24)
    model.compile(keras.optimizers.Adam(0.1 if kind == "grid" else 0.01))
    before = model.evaluate(rays, colours, batch_size=600, verbose=0, return_dict=True)["psnr"]
    train.fit(model, rays, colours, epochs=12, batch_size=100, table=False)
    after = model.evaluate(rays, colours, batch_size=600, verbose=0, return_dict=True)["psnr"]
    assert after > max(before + 5, 18)


def test_a_finer_model_shows_the_same_and_only_its_box() -> None:
    grid = VoxelGrid(9, degree=0, box=BOX)
    axis = np.linspace(-1, 1, 9)
    apart = np.sqrt(sum(x**2 for x in np.meshgrid(axis, axis, axis)))
    values = np.zeros(grid.values.shape, "float32")
    values[..., 0] = np.where(apart < 0.6, 6, -8)
    grid.values.assign(values)
    model = RadianceField(grid, BOX, samples=60, cells=16, background=0.7, seed=5)
    model.update_occupancy()
    fine = module.refine(model, 33, samples=60, cells=16)
    assert (fine.background, fine.seed, fine.samples, fine.cells) == (0.7, 5, 60, 16)
    assert fine.box == model.occupied_box()
    assert max(fine.field.resolution) == 33
    rays = rays_at_ball(60)
    found, wanted = as_numpy(fine(rays)), as_numpy(model(rays))
    assert np.abs(found["colour"] - wanted["colour"]).mean() < 0.02
    with pytest.raises(ValueError, match="refine needs a VoxelGrid, not Ball"):
        module.refine(RadianceField(Ball(), BOX), 9, samples=4)


def test_a_picture_is_rendered_in_parts() -> None:
    model = RadianceField(Ball(0.6, 50.0), BOX, samples=32)
    pose = module.look_at(20, 30, 3.0)
    picture = model.render(pose, 9, 11, 10.0, rays_at_once=40)
    shapes = {name: values.shape for name, values in picture.items()}
    assert shapes == {"colour": (9, 11, 3), "opacity": (9, 11), "depth": (9, 11)}
    rays = tuple(x.reshape(-1, 3) for x in module.camera_rays(pose, 9, 11, 10.0))
    whole = as_numpy(model(rays))
    np.testing.assert_allclose(picture["colour"].reshape(-1, 3), whole["colour"], atol=1e-5)
    assert picture["depth"][4, 5] == pytest.approx(2.4, abs=0.1)
    assert picture["opacity"][0, 0] == 0
    with pytest.raises(ValueError, match="poses must be"):
        model.render(np.eye(3), 2, 2, 1.0)


@pytest.mark.parametrize("kind", ["grid", "net"])
def test_it_is_saved_and_loaded_with_its_empty_cells_and_its_optimizer(
    tmp_path: Path, kind: str
) -> None:
    rays, colours = scene()
    if kind == "grid":
        field = small_grid(degree=2, density_bias=-1.0, density_scale=4.0)
    else:
        field = module.build_mlp(units=8, depth=2, skip=1, position_frequencies=2, box=BOX)
    model = RadianceField(field, BOX, samples=6, cells=7, background=0.4, seed=9)
    model.compile(keras.optimizers.Adam(0.01))
    train.fit(model, rays, colours, batch_size=200, table=False)
    model.occupied.assign(RNG.integers(0, 2, 343).astype("float32"))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.box, loaded.samples, loaded.cells) == (BOX, 6, 7)
    assert (loaded.background, loaded.seed) == (0.4, 9)
    for name, values in as_numpy(model(rays)).items():
        np.testing.assert_allclose(as_numpy(loaded(rays))[name], values, atol=1e-6)
    for net in (model, loaded):  # and goes on as the other does
        train.fit(net, rays, colours, batch_size=200, table=False)
    for one, other in zip(
        [*model.variables, *model.optimizer.variables],
        [*loaded.variables, *loaded.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_allclose(as_numpy(one), as_numpy(other), rtol=1e-4, atol=1e-5)


# --- bad input


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"samples": 0}, "must be positive"),
        ({"cells": 0}, "must be positive"),
        ({"box": ((0, 0, 0), (1, 0, 1))}, "lowest corner must be below"),
        ({"box": ((1, 1, 1), (0, 0, 0))}, "lowest corner must be below"),
    ],
)
def test_settings_without_sense_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RadianceField(Ball(), **settings)


def test_a_nan_in_a_batch_is_not_hidden() -> None:
    origins, towards = rays_at_ball(6)
    origins[2, 1] = np.nan
    found = rendered(Ball(), (origins, towards), samples=4)
    assert np.isnan(found["colour"][2]).all()
    assert np.isfinite(np.delete(found["colour"], 2, axis=0)).all()
    model = RadianceField(small_grid(), BOX, samples=4)
    model.compile(keras.optimizers.SGD(0.1))
    with pytest.raises(ValueError, match="NaN"):
        train.fit(model, (origins, towards), np.zeros((6, 3), "float32"), table=False)


def test_training_that_diverges_stops_with_a_message() -> None:
    rays, colours = scene()
    model = RadianceField(module.build_mlp(units=8, depth=2, skip=None, box=BOX), BOX, samples=4)
    model.compile(keras.optimizers.SGD(1e30))
    with pytest.raises(train.TrainingDivergedError, match="learning rate"):
        train.fit(model, rays, colours, epochs=5, batch_size=100, table=False)
