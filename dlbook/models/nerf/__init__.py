"""Neural radiance fields: rays, volume rendering, encodings, and two kinds of field."""

from dlbook.models.nerf.encoding import FourierFeatures, PositionalEncoding, spherical_harmonics
from dlbook.models.nerf.field import RadianceField, refine
from dlbook.models.nerf.mlp import SCENE_BOX, build_mlp, build_picture_net
from dlbook.models.nerf.rays import camera_rays, clip_to_box, look_at
from dlbook.models.nerf.rendering import composite, psnr, render_weights
from dlbook.models.nerf.voxels import VoxelGrid, trilinear

__all__ = [
    "SCENE_BOX",
    "FourierFeatures",
    "PositionalEncoding",
    "RadianceField",
    "VoxelGrid",
    "build_mlp",
    "build_picture_net",
    "camera_rays",
    "clip_to_box",
    "composite",
    "look_at",
    "psnr",
    "refine",
    "render_weights",
    "spherical_harmonics",
    "trilinear",
]
