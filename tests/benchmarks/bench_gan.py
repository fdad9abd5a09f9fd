"""A training step of the book's DCGAN with the R1 penalty, against the same step in plain PyTorch.

Keras runs ``GAN.train_step``, compiled, fed by ``dlbook.train.fit``. PyTorch runs eagerly, as the
articles' listings do: two optimizers, the same fakes for both moves, the penalty by
``autograd.grad`` with ``create_graph``. Both sides have the chapter's sizes and the same images.
"""

import numpy as np
import timing

from dlbook import train
from dlbook.models import gan

import keras  # isort: skip
import torch  # isort: skip

from torch import nn  # isort: skip
from torch.nn import functional as F  # isort: skip

BATCH, LATENT, FILTERS, PENALTY, STEPS = 64, 64, 16, 1.0, 40


def torch_nets() -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator of ``build_dcgan``."""
    n = FILTERS
    generator = nn.Sequential(
        *(nn.Linear(LATENT, 98 * n, bias=False), nn.BatchNorm1d(98 * n), nn.ReLU()),
        nn.Unflatten(1, (2 * n, 7, 7)),
        *(nn.ConvTranspose2d(2 * n, n, 4, 2, 1, bias=False), nn.BatchNorm2d(n), nn.ReLU()),
        *(nn.ConvTranspose2d(n, 1, 4, 2, 1), nn.Tanh()),
    )
    discriminator = nn.Sequential(
        *(nn.Conv2d(1, n, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Conv2d(n, 2 * n, 4, 2, 1), nn.LeakyReLU(0.2)),
        *(nn.Flatten(), nn.Linear(98 * n, 1)),
    )
    return generator, discriminator


def torch_side(images: np.ndarray, steps: int) -> tuple[int, timing.Side]:
    """Parameters, and rounds of PyTorch's plain loop."""
    torch.manual_seed(0)
    generator, discriminator = torch_nets()
    first, second = (
        torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.0, 0.9))
        for net in (generator, discriminator)
    )
    data = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()

    def epoch() -> None:
        for start in range(0, len(data), BATCH):
            real = data[start : start + BATCH].clone().requires_grad_(True)
            fake = generator(torch.randn(len(real), LATENT))
            second.zero_grad()
            logits = discriminator(real)
            (slopes,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
            penalty = slopes.square().sum(dim=(1, 2, 3)).mean()
            seen = F.softplus(-logits).mean() + F.softplus(discriminator(fake.detach())).mean()
            (seen + PENALTY / 2 * penalty).backward()
            second.step()
            first.zero_grad()
            F.softplus(-discriminator(fake)).mean().backward()
            first.step()

    size = sum(weight.numel() for net in (generator, discriminator) for weight in net.parameters())
    return size, lambda: timing.milliseconds(epoch, steps)


def table(quick: bool) -> str:
    """Measure the step on both sides."""
    steps = 2 if quick else STEPS
    images = np.random.default_rng(0).uniform(-1, 1, (steps * BATCH, 28, 28, 1)).astype("float32")
    keras.utils.set_random_seed(0)
    model = gan.build_dcgan(LATENT, filters=FILTERS, penalty=PENALTY)
    adams = [keras.optimizers.Adam(1e-3, beta_1=0.0, beta_2=0.9) for _ in range(2)]
    model.compile(*adams, jit_compile=False)
    size, theirs = torch_side(images, steps)
    ours = sum(int(np.prod(weight.shape)) for weight in model.trainable_variables)
    if ours != size:
        raise ValueError(f"Keras has {ours:,} parameters, PyTorch {size:,}")

    def keras_side() -> float:
        history = train.fit(model, images, batch_size=BATCH, table=False)
        return 1000 * history.history["seconds"][0] / steps

    rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS
    found = timing.compare("gan", keras_side, theirs, rounds)
    head = ["training step", "Keras, ms", "PyTorch, ms", "PyTorch / Keras", "Keras's settings"]
    title = f"DCGAN with R1, {BATCH} × 28×28{found.note}"
    return timing.markdown(head, [[title, *found.cells(), "jit_compile=False"]])
