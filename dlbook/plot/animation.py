"""Animations as GIF, small enough to live in a notebook."""

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

_MOST_BYTES = 1_500_000


@dataclass(frozen=True)
class Animation:
    """A GIF that notebooks show.

    Attributes:
        gif: The file's bytes.
        alt: Alternative text.
    """

    gif: bytes
    alt: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        data = {"image/gif": base64.b64encode(self.gif).decode(), "text/plain": self.alt}
        return data, {"image/gif": {"alt": self.alt}}

    def save(self, path: str) -> None:
        """Write the GIF to a file."""
        with open(path, "wb") as file:
            file.write(self.gif)


def animate(
    draw: Callable[[Figure, Any], None],
    frames: Sequence[Any],
    *,
    alt: str,
    width: float = 3.2,
    height: float = 3.0,
    seconds: float = 0.15,
    hold: float = 1.5,
    dpi: int = 80,
) -> Animation:
    """Draw each frame on an empty figure and join them to a GIF.

    Args:
        draw: Called as ``draw(figure, frame)`` for each frame.
        frames: What each frame shows.
        alt: Alternative text.
        width: Width in inches.
        height: Height in inches.
        seconds: Time of a frame.
        hold: Time of the last frame.
        dpi: Pixels per inch.

    Returns:
        The animation; a notebook shows it when it is the last value of a cell.

    Raises:
        ValueError: No frames, or the GIF is larger than 1.5 MB, which notebook viewers of code
            hosts would not load.
    """
    from PIL import Image

    if not len(frames):
        raise ValueError("animate needs at least one frame")
    pictures = []
    for frame in frames:
        figure = plt.figure(figsize=(width, height))
        draw(figure, frame)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=dpi, facecolor="white")
        plt.close(figure)
        # 64 colours are enough for a diagram and halve the file
        pictures.append(Image.open(file).convert("RGB").quantize(64))
    times = [round(1000 * seconds)] * (len(pictures) - 1) + [round(1000 * hold)]
    file = io.BytesIO()
    pictures[0].save(file, "GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0)
    gif = file.getvalue()
    if len(gif) > _MOST_BYTES:
        raise ValueError(
            f"the GIF has {len(gif) / 1e6:.1f} MB, over {_MOST_BYTES / 1e6} MB: "
            "take fewer frames, or a smaller dpi"
        )
    return Animation(gif, " ".join(alt.split()))
