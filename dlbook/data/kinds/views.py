"""Views of one scene: pictures, and where the camera stood for each."""

from dataclasses import dataclass

import numpy as np

from dlbook.data.kinds.dataset import DataSet

_PARTS = ("train", "val", "test")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ViewData(DataSet):
    """Square pictures of one scene with the camera of each.

    A pose turns a point of the camera's own frame, (x, y, z, 1), into a point of the scene. In the
    camera's frame x points right, y up, and the camera looks along −z (OpenGL's convention).

    Args:
        images_train: (views, size, size, 4), uint8: red, green and blue times the opacity, then
            the opacity. Divided by 255 the colours are the view on a black ground; plus one minus
            the opacity they are the view on a white one.
        poses_train: (views, 4, 4), float32: camera to scene, a turn and a shift.
        images_val: as ``images_train``: the views that choices are made on.
        poses_val: as ``poses_train``.
        images_test: as ``images_train``: the views for the final figures.
        poses_test: as ``poses_train``.
        focal: the focal length in pixels. A pixel's middle, x + 0.5 pixels from the left, lies
            (x + 0.5 − size / 2) / focal to the right at one unit in front of the camera.
        near: no part of the scene is nearer to a camera, in units of the scene.
        far: nor farther.

    Raises:
        ValueError: when pictures and poses do not fit together, a pose is no turn and shift, or
            ``focal``, ``near`` and ``far`` make no sense.
    """

    images_train: np.ndarray
    poses_train: np.ndarray
    images_val: np.ndarray
    poses_val: np.ndarray
    images_test: np.ndarray
    poses_test: np.ndarray
    focal: float
    near: float
    far: float

    def __post_init__(self) -> None:
        super().__post_init__()
        for part in _PARTS:
            _check_views(part, getattr(self, f"images_{part}"), getattr(self, f"poses_{part}"))
            if getattr(self, f"images_{part}").shape[1] != self.size:
                raise ValueError(f"images_{part} must be of the size of images_train, {self.size}")
        if not (np.isfinite(self.focal) and self.focal > 0):
            raise ValueError(f"focal must be a positive number of pixels, got {self.focal}")
        if not 0 < self.near < self.far < np.inf:
            raise ValueError(f"0 < near < far must hold, got near={self.near}, far={self.far}")

    @property
    def size(self) -> int:
        """Height and width of a picture, in pixels."""
        return self.images_train.shape[1]

    def sizes(self) -> str:
        counts = ", ".join(str(len(getattr(self, f"poses_{part}"))) for part in _PARTS)
        return f"views of {self.size}×{self.size} pixels; to train, validate, test: {counts}"


def _check_views(part: str, images: np.ndarray, poses: np.ndarray) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 4:
        raise ValueError(
            f"images_{part} must be uint8 of the shape (views, size, size, 4), not {images.dtype} "
            f"of {images.shape}"
        )
    if images.shape[1] != images.shape[2] or not images.size:
        raise ValueError(f"images_{part} must hold square pictures, not {images.shape}")
    if (images[..., :3] > images[..., 3:]).any():
        raise ValueError(f"images_{part}: a colour exceeds the opacity: multiply them first")
    if poses.dtype != np.float32 or poses.shape != (len(images), 4, 4):
        raise ValueError(
            f"poses_{part} must be float32 of the shape ({len(images)}, 4, 4), one for each "
            f"picture, not {poses.dtype} of {poses.shape}"
        )
    finite = np.isfinite(poses).all((1, 2))
    turns = np.where(finite[:, None, None], poses[:, :3, :3], 0).astype(float)
    close = np.isclose(turns @ turns.transpose(0, 2, 1), np.eye(3), atol=1e-4).all((1, 2))
    last = (poses[:, 3] == (0, 0, 0, 1)).all(1)
    good = finite & close & last & (np.linalg.det(turns) > 0)
    if not good.all():
        raise ValueError(
            f"poses_{part}: number {np.flatnonzero(~good)[0]} is no turn and shift of a camera"
        )
