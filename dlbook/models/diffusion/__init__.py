"""Diffusion models: images out of noise, step by step.

A forward process mixes an image x with noise ε, z = α(t) x + σ(t) ε. The time t goes from 0 (the
image) to 1 (noise); α and σ are the *schedule*. A net that sees z and t learns to undo this, and a
sampler walks from t = 1 to t = 0 with it. Images are numbers from −1 to 1
(``dlbook.models.gan.scale_images`` makes them).

Papers: Sohl-Dickstein and others, "Deep unsupervised learning using nonequilibrium
thermodynamics", ICML 2015; Ho, Jain & Abbeel, "Denoising diffusion probabilistic models" (DDPM),
NeurIPS 2020; Nichol & Dhariwal, "Improved denoising diffusion probabilistic models", ICML 2021 (the
cosine); Song, Meng & Ermon, "Denoising diffusion implicit models" (DDIM), ICLR 2021; Salimans & Ho,
"Progressive distillation for fast sampling of diffusion models", ICLR 2022 (v); Ho & Salimans,
"Classifier-free diffusion guidance", 2022; Liu, Gong & Liu, "Flow straight and fast" (rectified
flow), ICLR 2023; Lipman and others, "Flow matching for generative modeling", ICLR 2023.
"""

from dlbook.models.diffusion.many import ManyDiffusions
from dlbook.models.diffusion.model import DiffusionModel
from dlbook.models.diffusion.nets import (
    SideBySide,
    TimeFeatures,
    build_point_net,
    build_point_nets,
    build_unet,
    residual_block,
)
from dlbook.models.diffusion.process import (
    PREDICTIONS,
    SCHEDULES,
    diffuse,
    image_and_noise,
    signal_and_noise,
    target,
)
from dlbook.models.diffusion.sampling import (
    exact_guess,
    guide,
    on_straight_path,
    sample,
    sampling_times,
    step_back,
)

__all__ = [
    "PREDICTIONS",
    "SCHEDULES",
    "DiffusionModel",
    "ManyDiffusions",
    "SideBySide",
    "TimeFeatures",
    "build_point_net",
    "build_point_nets",
    "build_unet",
    "diffuse",
    "exact_guess",
    "guide",
    "image_and_noise",
    "on_straight_path",
    "residual_block",
    "sample",
    "sampling_times",
    "signal_and_noise",
    "step_back",
    "target",
]
