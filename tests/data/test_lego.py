"""Lego: its pictures and cameras, the small file, and the solids that stand in for it."""

import hashlib
import io
import json
import math
import os

import numpy as np
import pytest
from PIL import Image

from dlbook.data import DataUnavailableError, draw_solids, get_collection, lego, load_lego
from dlbook.data.files.types import COLLECTIONS, Collection, RemoteFile
from dlbook.data.kinds.views import ViewData
from dlbook.data.stand_ins import lego as stand_ins

REAL_FOLDER = os.environ.get("DLBOOK_DATA_DIR", "")
GENERATOR = np.random.default_rng(0)
ANGLE = 0.6911112
DOWN = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 4], [0, 0, 0, 1]], np.float32)


def pose(turn: float) -> np.ndarray:
    cosine, sine = math.cos(turn), math.sin(turn)
    return np.array([[cosine, -sine, 0, 1], [sine, cosine, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1]])


def views(count: int = 2, **fields) -> ViewData:
    colours = np.zeros((count, 8, 8, 4), np.uint8)
    colours[..., 3] = 255
    given = {"name": "toy", "title": "toy", "source": "stand-in", "licence": "x", "citation": "x"}
    for part in lego.PARTS:
        given[f"images_{part}"] = colours
        given[f"poses_{part}"] = np.stack([pose(k) for k in range(count)]).astype(np.float32)
    return ViewData(**(given | {"focal": 10.0, "near": 2.0, "far": 6.0} | fields))


def test_views_that_fit_together():
    data = views(3)
    assert data.size == 8
    assert data.sizes() == "views of 8×8 pixels; to train, validate, test: 3, 3, 3"
    with pytest.raises(ValueError, match="read-only"):
        data.images_train[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        data.poses_test[0] = 0


def spoilt(change) -> np.ndarray:
    poses = views().poses_val.copy()
    change(poses)
    return poses


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"images_train": np.zeros((2, 8, 8, 4))}, "images_train must be uint8"),
        ({"images_val": np.zeros((2, 8, 8, 3), np.uint8)}, "images_val must be uint8"),
        ({"images_test": np.zeros((2, 8, 6, 4), np.uint8)}, "square"),
        ({"images_test": np.zeros((2, 4, 4, 4), np.uint8)}, "of the size of images_train, 8"),
        ({"images_val": np.zeros((3, 8, 8, 4), np.uint8)}, r"shape \(3, 4, 4\), one for each"),
        ({"images_train": np.full((2, 8, 8, 4), (9, 9, 9, 8), np.uint8)}, "exceeds the opacity"),
        ({"poses_train": np.zeros((2, 4, 4))}, "poses_train must be float32"),
        ({"poses_train": np.zeros((2, 3, 4), np.float32)}, "poses_train must be float32"),
        ({"poses_val": spoilt(lambda p: p[1].fill(np.nan))}, "number 1 is no turn and shift"),
        ({"poses_val": spoilt(lambda p: p[1, :3, :3].__imul__(2))}, "number 1 is no turn"),
        ({"poses_val": spoilt(lambda p: p[0, :3, 0].__imul__(-1))}, "number 0 is no turn"),
        ({"poses_val": spoilt(lambda p: p[0].__setitem__(3, 1))}, "number 0 is no turn"),
        ({"poses_val": spoilt(lambda p: p[1].__setitem__((0, 3), np.inf))}, "number 1 is no turn"),
        ({"focal": 0.0}, "focal must be a positive number"),
        ({"focal": math.nan}, "focal must be a positive number"),
        ({"near": 6.0}, "0 < near < far"),
        ({"far": math.inf}, "0 < near < far"),
    ],
)
def test_views_that_do_not_fit_are_refused(fields, words):
    with pytest.raises(ValueError, match=words):
        views(**fields)


def official_files() -> dict[str, bytes]:
    """A list of cameras and two pictures of 200×200 pixels for each part, as on the host."""
    found = {}
    for part in lego.PARTS:
        frames = []
        for k in range(2):
            pixels = GENERATOR.integers(0, 256, (200, 200, 4), dtype=np.uint8)
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "PNG")
            found[f"{part}/r_{k}.png"] = file.getvalue()
            frames.append({"file_path": f"./{part}/r_{k}", "transform_matrix": pose(k).tolist()})
        listed = {"camera_angle_x": ANGLE, "frames": frames}
        found[f"transforms_{part}.json"] = json.dumps(listed).encode()
    return found


def serve(monkeypatch, folder, files: dict[str, bytes]) -> tuple[RemoteFile, ...]:
    served = []
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
        served.append(RemoteFile(name, len(content), hashlib.sha256(content).hexdigest()))
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", str(folder))
    return tuple(served)


def test_pictures_are_multiplied_first_and_then_made_small(monkeypatch, tmp_path):
    content = official_files()
    files = serve(monkeypatch, tmp_path, {f"nerf/lego/{n}": c for n, c in content.items()})
    terms = ("licence", "paper", "https://x")
    monkeypatch.setitem(COLLECTIONS, "lego", Collection("lego", "Lego bulldozer", files, *terms))
    data = load_lego()
    assert data.images_train.shape == data.images_val.shape == (2, 100, 100, 4)
    assert math.isclose(data.focal, 50 / math.tan(ANGLE / 2))
    assert (data.near, data.far) == (2, 6)
    assert np.allclose(data.poses_test[1], pose(1))
    whole = np.asarray(Image.open(io.BytesIO(content["val/r_1.png"])), float)
    block = whole[20:22, 40:42].reshape(4, 4)
    opacity = block[:, 3].mean()
    colour = (block[:, :3] * block[:, 3:] / 255).mean(0)
    assert np.abs(data.images_val[1, 10, 20] - [*colour, opacity]).max() <= 0.5

    # the same arrays, packed
    file = io.BytesIO()
    arrays = {n: getattr(data, n) for n in vars(data) if n.startswith(("images", "poses"))}
    np.savez_compressed(file, focal=data.focal, **arrays)
    other = serve(monkeypatch, tmp_path / "small", {lego._SMALL.files[0].path: file.getvalue()})
    with pytest.raises(DataUnavailableError):  # not by chance
        load_lego()
    monkeypatch.setattr(lego, "_SMALL", Collection("lego", "Lego bulldozer", other, *terms))
    small = load_lego()
    assert small.source == data.source == "mirror folder"
    for name, array in arrays.items():
        assert np.array_equal(getattr(small, name), array), name
        assert getattr(small, name).dtype == array.dtype
    assert (small.focal, small.near, small.far) == (data.focal, data.near, data.far)


def test_files_that_are_none_of_ours_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images_train=np.zeros(1), focal=1)
    with pytest.raises(ValueError, match=r"a\.npz lacks images_test, images_val, poses_test"):
        lego.read_small(tmp_path / "a.npz")
    for k, size in enumerate([(150, 150), (100, 200), (50, 50)]):
        Image.new("RGBA", size).save(tmp_path / f"{k}.png")
        with pytest.raises(ValueError, match=f"{k}.png has .* no multiple of 100"):
            lego._small(tmp_path / f"{k}.png")


def test_every_picture_is_registered_with_its_address():
    files = get_collection("lego").files
    assert len(files) == 403
    assert sum(file.name.endswith(".png") for file in files) == 400
    for file in files:
        (url,) = file.urls
        assert url.endswith(file.path.removeprefix("nerf"))


@pytest.fixture(scope="module")
def stand_in():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLBOOK_DATA", "stand-in")
        return load_lego()


def check_like_lego(data: ViewData):
    assert data.size == 100
    assert math.isclose(data.focal, 138.88887889922103)
    assert (data.near, data.far) == (2, 6)
    for part in lego.PARTS:
        poses = getattr(data, f"poses_{part}")
        places = poses[:, :3, 3]
        assert np.allclose(np.linalg.norm(places, axis=1), 4.0311, atol=1e-3)
        # every camera stands above the ground and looks at the middle
        assert places[:, 2].min() > 0.4
        assert np.allclose(poses[:, :3, 2], places / 4.0311, atol=1e-3)
        images = getattr(data, f"images_{part}")
        assert 0.5 < (images[..., 3] == 0).mean() < 0.8
        assert images[..., 3].max() == 255
        assert not images[:, [0, -1], ..., 3].all()
    middle = data.images_train[:, 30:70, 30:70, 3]
    assert middle.mean() > 200


def test_stand_in_is_like_lego(stand_in):
    check_like_lego(stand_in)
    counts = [len(getattr(stand_in, f"poses_{part}")) for part in lego.PARTS]
    assert counts == [40, 6, 10]
    assert stand_in.is_stand_in
    assert "slab" in stand_in.describe()


def test_stand_in_is_the_same_every_time_and_has_no_twins(stand_in):
    for name, value in stand_ins.make().items():
        assert np.array_equal(getattr(stand_in, name), value), name
    every = [getattr(stand_in, f"poses_{part}") for part in lego.PARTS]
    poses = np.concatenate(every).reshape(-1, 16)
    assert len(np.unique(poses.round(3), axis=0)) == len(poses)


def test_depth_of_the_solids_from_above_is_their_height():
    # the camera is at z = 4 and looks straight down: the middle of a picture is x = y = 0
    pictures, depths = draw_solids(DOWN[None], size=101, focal=100.0)
    assert pictures.shape == (1, 101, 101, 4)
    assert depths.shape == (1, 101, 101)
    assert depths.dtype == np.float32

    def at(x: float, y: float, z: float) -> tuple[int, int, float]:
        """Pixel of a point, and its distance from the camera along that pixel's ray."""
        scale = 100 / (4 - z)
        column, row = round(50 + x * scale), round(50 - y * scale)
        across, down = (column - 50) / 100, (row - 50) / 100
        return row, column, (4 - z) * math.sqrt(1 + across**2 + down**2)

    tops = [
        (0.3, 0.05, -0.34), (-0.55, -0.5, 0.46), (-0.05, 0.1, -0.04), (-0.45, 0.6, 0.54),
    ]  # fmt: skip
    for point in tops:  # slab, cylinder, box, gate: each has a level top
        row, column, far = at(*point)
        assert math.isclose(depths[0, row, column], far, rel_tol=1e-6), point
    assert np.isinf(depths[0, 0, 0])
    assert pictures[0, 0, 0].tolist() == [0, 0, 0, 0]


def test_every_ball_point_and_cone_point_lies_on_its_surface():
    poses = stand_ins._poses(np.linspace(0, 6, 7), np.full(7, 0.4))
    count = 0
    for view in poses:
        origin, rays = stand_ins._rays(view, 60, 60 * stand_ins.FOCAL, 1)
        far, normals, _ = stand_ins._meet(origin, rays)
        hit = np.isfinite(far)
        points = origin + far[hit] * rays[:, hit]
        length = np.linalg.norm(normals[:, hit], axis=0)
        assert np.median(np.abs(length - 1)) < 1e-9
        assert (np.abs(length - 1) < 1e-6).mean() > 0.999  # but for the edges of a box
        # what is seen faces the camera
        assert ((normals[:, hit] * rays[:, hit]).sum(0) < 1e-9).all()
        ball = np.linalg.norm(points - np.array([[0.42], [-0.38], [0.06]]), axis=0)
        assert ball.min() > 0.4 - 1e-9
        count += (ball < 0.4 + 1e-9).sum()
        x, y, z = points - np.array([[0.55], [0.55], [0.06]])
        inside = np.hypot(x, y) < 0.18 - 0.4 * z - 1e-9
        assert not (inside & (np.abs(z) < 0.4 - 1e-9)).any()
    assert count > 500


def test_the_depth_agrees_with_small_steps_along_the_rays():
    """A second way to the same depths: is a point in a solid, by its inequalities?"""

    def solid(p):
        x, y, z = p
        found = (abs(x) < 1) & (abs(y) < 1) & (abs(z + 0.4) < 0.06)
        found |= (x - 0.42) ** 2 + (y + 0.38) ** 2 + (z - 0.06) ** 2 < 0.16
        found |= ((x + 0.55) ** 2 + (y + 0.5) ** 2 < 0.24**2) & (abs(z - 0.06) < 0.4)
        reach = 0.18 - 0.4 * (z - 0.06)
        found |= ((x - 0.55) ** 2 + (y - 0.55) ** 2 < reach**2) & (abs(z - 0.06) < 0.4)
        for middle, half in (
            ((-0.05, 0.1, -0.19), (0.16, 0.14, 0.15)), ((-0.75, 0.6, 0.01), (0.09, 0.12, 0.35)),
            ((-0.15, 0.6, 0.01), (0.09, 0.12, 0.35)), ((-0.45, 0.6, 0.45), (0.45, 0.14, 0.09)),
        ):  # fmt: skip
            apart = [abs(a - m) < h for a, m, h in zip(p, middle, half, strict=True)]
            found |= np.logical_and.reduce(apart)
        return found

    poses = stand_ins._poses(np.array([0.3, 2.0, 4.4]), np.array([0.2, 0.5, 0.9]))
    _, depths = draw_solids(poses, size=40)
    steps = np.arange(2, 6, 0.005)
    for view, depth in zip(poses, depths, strict=True):
        origin, rays = stand_ins._rays(view, 40, 40 * stand_ins.FOCAL, 1)
        points = origin[:, :, None] + rays[:, :, None] * steps
        inside = solid(points)
        first = np.where(inside.any(1), steps[inside.argmax(1)], np.inf)
        both = np.isfinite(first) & np.isfinite(depth.ravel())
        off = first[both] - depth.ravel()[both]
        # a step may pass over a corner; what it finds comes at most one step after the surface
        assert ((off > -1e-5) & (off < 0.0051)).mean() > 0.99
        assert (off > -1e-5).all()
        assert (np.isfinite(first) == np.isfinite(depth.ravel())).mean() > 0.99


def test_pictures_are_opaque_where_depth_is_known(stand_in):
    pictures, depths = draw_solids(stand_in.poses_test[:2])
    assert np.array_equal(pictures, stand_in.images_test[:2])
    opaque = pictures[..., 3] == 255
    assert np.isfinite(depths[opaque]).all()
    assert np.isinf(depths[pictures[..., 3] == 0]).all()
    assert stand_in.near < depths.min()
    assert depths[np.isfinite(depths)].max() < stand_in.far


def test_solids_are_drawn_in_another_size_or_not_at_all():
    pictures, depths = draw_solids(np.empty((0, 4, 4)), size=5)
    assert (pictures.shape, depths.shape) == ((0, 5, 5, 4), (0, 5, 5))
    with pytest.raises(ValueError, match=r"poses must have the shape \(views, 4, 4\)"):
        draw_solids(DOWN)
    with pytest.raises(ValueError, match="size and focal must be positive"):
        draw_solids(DOWN[None], size=0)
    with pytest.raises(ValueError, match="size and focal must be positive"):
        draw_solids(DOWN[None], focal=-1.0)


@pytest.mark.skipif(not REAL_FOLDER, reason="DLBOOK_DATA_DIR names no folder with lego")
def test_real_lego_from_a_mirror_folder(monkeypatch):
    monkeypatch.setenv("DLBOOK_DATA", "real")
    monkeypatch.setenv("DLBOOK_DATA_DIR", REAL_FOLDER)
    data = load_lego()
    check_like_lego(data)
    assert data.source == "mirror folder"
    assert data.images_train.shape == data.images_val.shape == (100, 100, 100, 4)
    assert data.images_test.shape == (200, 100, 100, 4)
    # the bulldozer is yellow
    seen = data.images_test[data.images_test[..., 3] == 255].mean(0)
    assert seen[0] > seen[1] > 1.5 * seen[2]
