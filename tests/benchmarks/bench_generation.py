"""Writing with and without a cache of keys and values: ``dlbook.models.gpt.generation``.

Both sides continue one character to a text that fills the context, with a GPT of four blocks and
in a compiled loop. Without the cache all of the context is computed again for each new character:
one compiled loop needs arrays of one size. The two texts must be equal.
"""

import numpy as np
import timing

from dlbook.models import gpt
from dlbook.models.gpt import generation

import keras  # isort: skip

CHARACTERS = 65


def sides(context: int, batch: int) -> tuple[timing.Side, timing.Side]:
    """Rounds with and without the cache; milliseconds per new character.

    Args:
        context: Characters of a text, the first one included.
        batch: Texts at once.

    Returns:
        The side with the cache and the one without.

    Raises:
        ValueError: The two texts differ.
    """
    keras.utils.set_random_seed(0)
    model = gpt.GPT(CHARACTERS, max_length=context)
    prompt = np.arange(batch)[:, None]

    def write(use_cache: bool) -> np.ndarray:
        return generation.generate(model, prompt, context - 1, use_cache=use_cache)

    if not np.array_equal(write(True), write(False)):
        raise ValueError("the texts with and without a cache differ")
    return (
        lambda: timing.milliseconds(lambda: write(True), context - 1),
        lambda: timing.milliseconds(lambda: write(False), context - 1),
    )


def table(quick: bool) -> str:
    """Measure one text at once and several."""
    context = 64 if quick else 256
    rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS // 3
    rows = []
    for batch in (1,) if quick else (1, 16):
        found = timing.compare(f"generation, batch {batch}", *sides(context, batch), rounds)
        title = f"{batch} {'text' if batch == 1 else 'texts'} of {context} characters"
        rows.append([title + found.note, *found.cells()])
    head = ["GPT, a new character", "with the cache, ms", "without, ms", "without / with"]
    return timing.markdown(head, rows)
