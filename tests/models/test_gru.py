"""GRUs of both variants against plain NumPy, masks and padding, counts by hand, XLA."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from dlbook.models import gru

GENERATOR = np.random.default_rng(0)
ROOT = Path(__file__).parents[2]
EVERY_KIND = pytest.mark.parametrize("kind", gru.KINDS)


def normal(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype("float32")


def random_layer(units: int = 3, features: int = 2, **arguments) -> keras.layers.GRU:
    layer = keras.layers.GRU(units, return_sequences=True, **arguments)
    layer.build((None, None, features))
    layer.set_weights([GENERATOR.normal(size=w.shape) for w in layer.get_weights()])
    return layer


def by_hand(layer: keras.layers.GRU, x: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
    """The papers' equations in NumPy, one example and one step at a time."""

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    kernel, recurrent, *rest = layer.get_weights()
    n = layer.units
    b = c = np.zeros(3 * n)
    if rest:
        b, c = rest[0] if layer.reset_after else (rest[0], c)
    parts = {name: np.zeros((*x.shape[:2], n)) for name in gru.GRUTrace._fields}
    for example in range(len(x)):
        hidden = np.zeros(n)
        for t in range(x.shape[1]):
            a = x[example, t] @ kernel + b
            z = sigmoid(a[:n] + hidden @ recurrent[:, :n] + c[:n])
            r = sigmoid(a[n : 2 * n] + hidden @ recurrent[:, n : 2 * n] + c[n : 2 * n])
            U = recurrent[:, 2 * n :]
            seen = r * (hidden @ U + c[2 * n :]) if layer.reset_after else (r * hidden) @ U
            g = np.tanh(a[2 * n :] + seen)
            if mask[example, t]:
                hidden = z * hidden + (1 - z) * g
            for name, value in zip(parts, (z, r, g, hidden), strict=True):
                parts[name][example, t] = value
    return parts


# ---- the layer and its trace ----


@pytest.mark.parametrize("reset_after", [False, True])
@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("masked", [False, True])
def test_trace_and_keras_agree_with_the_equations(reset_after, use_bias, masked):
    layer = random_layer(reset_after=reset_after, use_bias=use_bias)
    x = normal(4, 7, 2)
    mask = np.ones((4, 7), bool)
    if masked:
        mask[1, 5:] = mask[2, :3] = mask[3, 2:4] = False
    expected = by_hand(layer, x, mask)
    trace = gru.trace_gru(layer, x, mask if masked else None)
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(trace, name), value, atol=1e-5, err_msg=name)
    by_keras = np.asarray(layer(x, mask=mask if masked else None))
    np.testing.assert_allclose(by_keras[mask], expected["hidden"][mask], atol=1e-5)


def test_the_two_variants_differ():
    before, after = random_layer(reset_after=False), random_layer(reset_after=True)
    kernel, recurrent, bias = before.get_weights()
    after.set_weights([kernel, recurrent, np.stack([bias, 0 * bias])])
    x = normal(2, 5, 2)
    assert np.abs(np.asarray(before(x)) - np.asarray(after(x))).max() > 0.01


def test_trace_refuses_what_it_would_compute_wrongly():
    with pytest.raises(ValueError, match=r"mask must be \(1, 2\), not \(2, 2\)"):
        gru.trace_gru(random_layer(2, 3), np.zeros((1, 2, 3)), np.ones((2, 2), bool))
    with pytest.raises(ValueError, match=r"activations tanh and sigmoid, not \['relu'"):
        gru.trace_gru(random_layer(2, 3, activation="relu"), np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match="go_backwards"):
        gru.trace_gru(random_layer(2, 3, go_backwards=True), np.zeros((1, 2, 3)))


# ---- parameters ----


@EVERY_KIND
@pytest.mark.parametrize(("units", "features"), [(1, 1), (7, 5), (4, 24)])
def test_parameters_of_a_layer(kind, units, features):
    layer = gru.KINDS[kind](units)
    layer.build((None, None, features))
    assert gru.count_parameters(kind, units, features) == layer.count_params()


@EVERY_KIND
def test_units_within_a_limit(kind):
    for limit in (50, 1_000, 5_568):
        units = gru.units_within(kind, limit, 3)
        assert gru.count_parameters(kind, units, 3) <= limit
        assert gru.count_parameters(kind, units + 1, 3) > limit
    with pytest.raises(ValueError, match="too few for one unit"):
        gru.units_within(kind, 2, 3)


# ---- the gate that keeps ----


def test_a_gru_whose_update_gate_is_open_keeps_its_state():
    model = gru.build_reader("gru", num_units=4, open_bias=30.0)
    layer = model.get_layer("gru")
    start = normal(3, 4)
    kept = layer(normal(3, 50, 2), initial_state=keras.ops.convert_to_tensor(start))
    np.testing.assert_allclose(kept, start, atol=1e-5)


def test_the_bias_of_the_gate_that_keeps():
    for kind, wanted in (
        ("gru", [[2] * 3 + [0] * 6, [0] * 9]),
        ("lstm", [0] * 3 + [2] * 3 + [0] * 6),
    ):
        layer = gru.build_reader(kind, num_units=3, open_bias=2.0).get_layer(kind)
        assert np.asarray(layer.cell.bias).tolist() == wanted
    keras_own = gru.build_reader("lstm", num_units=3).get_layer("lstm")
    assert np.asarray(keras_own.cell.bias).tolist() == [0] * 3 + [1] * 3 + [0] * 6
    with pytest.raises(ValueError, match="open_bias needs a gate"):
        gru.build_reader("rnn", open_bias=1.0)


# ---- the forecaster ----


@EVERY_KIND
@pytest.mark.parametrize("patch", [1, 3])
def test_the_forecaster_by_hand(kind, patch):
    model = gru.build_forecaster(
        kind, window=12, patch=patch, num_features=2, horizon=5, num_units=4
    )
    x = normal(6, 12, 2)
    assert model.output_shape == (None, 5)
    layer, change = model.get_layer(kind), model.get_layer("change")
    moved = x.copy()
    moved[:, :, 0] -= x[:, -1:, 0]
    state = layer(moved.reshape(6, 12 // patch, 2 * patch))
    np.testing.assert_allclose(model(x), np.asarray(change(state)) + x[:, -1:, 0], atol=1e-5)
    expected = gru.count_parameters(kind, 4, 2 * patch) + 5 * (4 + 1)
    assert model.count_params() == expected


@EVERY_KIND
def test_a_higher_level_makes_a_higher_forecast(kind):
    model = gru.build_forecaster(kind, window=6, num_features=2, horizon=3, num_units=4)
    x = normal(4, 6, 2)
    higher = x.copy()
    higher[:, :, 0] += 7
    np.testing.assert_allclose(model(higher), np.asarray(model(x)) + 7, atol=1e-4)
    higher[:, :, 1] += 1  # the other column is no series: its level matters
    assert np.abs(np.asarray(model(higher)) - np.asarray(model(x)) - 7).max() > 1e-3


@EVERY_KIND
@pytest.mark.parametrize("patch", [1, 3])
def test_a_forecaster_of_the_level_takes_nothing_away(kind, patch):
    sizes = {"window": 6, "patch": patch, "num_features": 2, "horizon": 3, "num_units": 4}
    model, x = gru.build_forecaster(kind, **sizes, subtract=False), normal(4, 6, 2)
    state = model.get_layer(kind)(x.reshape(4, 6 // patch, 2 * patch))
    np.testing.assert_allclose(model(x), model.get_layer("level")(state), atol=1e-5)
    of_changes = gru.build_forecaster(kind, **sizes)
    assert model.count_params() == of_changes.count_params()
    of_changes.set_weights(model.get_weights())  # the same weights, another forecast
    assert np.abs(np.asarray(model(x)) - np.asarray(of_changes(x))).max() > 1e-3


def test_a_patch_must_divide_the_window():
    with pytest.raises(ValueError, match="patch=5 does not divide window=12"):
        gru.build_forecaster(window=12, patch=5)


# ---- the reader and its mask ----


@EVERY_KIND
def test_padding_changes_nothing(kind):
    model, x = gru.build_reader(kind, num_units=4), normal(3, 6, 2)
    answers = np.asarray(model(x))
    for before, after in ((0, 5), (4, 0), (2, 3)):
        padded = np.pad(x, ((0, 0), (before, after), (0, 0)))
        np.testing.assert_allclose(model(padded), answers, atol=1e-6)


@EVERY_KIND
def test_the_mask_hides_the_steps_of_zeros_and_no_others(kind):
    model, x = gru.build_reader(kind, num_units=4), normal(1, 6, 2)
    x[0, 4:] = 0
    answer = np.asarray(model(x))
    hidden = keras.Model(model.input, model.get_layer("mask").output)
    assert np.asarray(hidden(x)._keras_mask).tolist() == [[True] * 4 + [False] * 2]
    for step in range(6):
        for feature in range(2):  # one number that is not 0 is enough for a step to be read
            other = x.copy()
            other[0, step, feature] += 0.5
            assert np.abs(np.asarray(model(other)) - answer).max() > 1e-5, (step, feature)
    middle = np.insert(x[:, :4], 2, 0.0, axis=1)  # padding may stand anywhere
    np.testing.assert_allclose(model(middle), answer, atol=1e-6)


def test_the_notes_net_reads_one_hot_vectors_and_no_future():
    model = gru.build_notes_gru(5, num_units=4)
    x, other = np.array([[0, 3, 4, 1]], np.int32), np.array([[0, 3, 2, 1]], np.int32)
    states = model.get_layer("gru")(np.eye(5, dtype="float32")[x])
    np.testing.assert_allclose(model(x), model.get_layer("logits")(states), atol=1e-6)
    np.testing.assert_array_equal(model(x)[:, :2], model(other)[:, :2])
    assert np.abs(np.asarray(model(x))[:, 2] - np.asarray(model(other))[:, 2]).max() > 0
    assert gru.build_notes_gru(28).count_params() == 3 * 256 * (256 + 28 + 2) + 28 * 257


# ---- all of them ----


MODELS = {
    **{
        f"{kind} forecaster": (
            lambda kind=kind: gru.build_forecaster(
                kind, window=6, patch=2, num_features=2, horizon=3, num_units=4
            ),
            normal(4, 6, 2),
        )
        for kind in gru.KINDS
    },
    **{
        f"{kind} reader": (lambda kind=kind: gru.build_reader(kind, num_units=4), normal(4, 5, 2))
        for kind in gru.KINDS
    },
    "forecaster of the level": (
        lambda: gru.build_forecaster(
            window=6, num_features=2, horizon=3, num_units=4, subtract=False
        ),
        normal(4, 6, 2),
    ),
    "reader with an open gate": (
        lambda: gru.build_reader("gru", num_units=4, open_bias=1.0),
        normal(4, 5, 2),
    ),
    "notes": (
        lambda: gru.build_notes_gru(5, num_units=4),
        GENERATOR.integers(0, 5, (4, 6)).astype("int32"),
    ),
}
EVERY_MODEL = pytest.mark.parametrize("name", MODELS)


@EVERY_MODEL
def test_a_gradient_reaches_every_weight(name, check_gradients):
    keras.utils.set_random_seed(0)
    build, x = MODELS[name]
    check_gradients(build(), x)


@EVERY_MODEL
def test_a_saved_model_gives_the_same_output(name, check_saving):
    build, x = MODELS[name]
    check_saving(build(), x)


@pytest.mark.parametrize("name", ["gru forecaster", "gru reader"])
def test_one_small_batch_is_learned_by_heart(name):
    keras.utils.set_random_seed(0)
    build, x = MODELS[name]
    model = build()
    y = GENERATOR.uniform(-1, 1, size=(4, model.output_shape[-1])).astype("float32")
    model.compile(keras.optimizers.Adam(0.03), "mean_squared_error", jit_compile=False)
    assert np.mean((np.asarray(model(x)) - y) ** 2) > 0.1
    model.fit(np.tile(x, (200, 1, 1)), np.tile(y, (200, 1)), batch_size=4, shuffle=False, verbose=0)
    assert np.mean((np.asarray(model(x)) - y) ** 2) < 0.01


COUNT_COMPILATIONS = """
import glob, json, os, sys
import numpy as np
from dlbook import train
from dlbook.models import gru

def compilations():
    return len(glob.glob(os.path.join(sys.argv[1], "*before_optimizations.txt")))

found = {}
rng = np.random.default_rng(0)
for kind in gru.KINDS:
    for name, model, widths in (
        ("forecaster", gru.build_forecaster(kind, window=6, horizon=3, num_units=4), (6, 6, 6)),
        ("reader", gru.build_reader(kind, num_units=4), (6, 9, 6)),
    ):
        model.compile("adam", "mean_squared_error", jit_compile=True)
        counts = [compilations()]
        for width in widths:  # five batches each
            x = rng.normal(size=(40, width, model.input_shape[-1])).astype("float32")
            y = np.zeros((40, model.output_shape[-1]), "float32")
            train.fit(model, x, y, batch_size=8, drop_last=True, table=False)
            counts.append(compilations())
        found[kind + " " + name] = np.diff(counts).tolist()
model = gru.build_notes_gru(5, num_units=4)
model.compile("adam", "mean_squared_error", jit_compile=True)
counts = [compilations()]
for _ in range(2):
    x, y = rng.integers(0, 5, (40, 6)), np.zeros((40, 6, 5), "float32")
    train.fit(model, x, y, batch_size=8, drop_last=True, table=False)
    counts.append(compilations())
found["notes"] = np.diff(counts).tolist()
print(json.dumps(found))
"""


def test_xla_compiles_once_for_each_width_and_not_for_each_batch(tmp_path):
    # XLA writes a file for every program that it compiles
    flags = {"XLA_FLAGS": f"--xla_dump_to={tmp_path}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", COUNT_COMPILATIONS, str(tmp_path)],
        env=os.environ | flags,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert len(found) == 7
    for name, counts in found.items():
        wanted = [1, 1, 0] if "reader" in name else [1, 0, 0][: len(counts)]
        assert counts == wanted, name
