"""What the tools change inside a chapter's kernel: checks that do not stop, nets that do not learn.

Imported by the kernel of an untrained run (see ``dlbook.tools.storing``), never by a chapter.
"""

import contextlib
from typing import Any

import dlbook
from dlbook import checks, train


def soften_checks() -> None:
    """Let a failed check be noted, like every check, but stop nothing."""
    real = checks.check

    def check(*args: Any, **claim: Any) -> None:
        with contextlib.suppress(checks.CheckError):
            real(*args, **claim)

    dlbook.check = checks.check = check


def switch_training_off() -> None:
    """Let optimizers leave the weights alone, and ``train.fit`` make one step without effect."""
    import keras
    import tensorflow as tf

    # on the class: whatever a chapter trains with, fit or its own loop, learns nothing
    keras.optimizers.Optimizer.apply = lambda self, grads, trainable_variables=None: None
    real_fit = train.fit

    def fit(model: keras.Model, x: Any, y: Any = None, **settings: Any) -> Any:
        before = model.get_weights()
        if isinstance(x, tf.data.Dataset):
            x = x.take(1)
        else:
            count = settings.get("batch_size", 64)
            x, y = keras.tree.map_structure(lambda a: None if a is None else a[:count], (x, y))
        history = real_fit(model, x, y, **{**settings, "epochs": 1})
        if len(before) == len(model.get_weights()):  # else fit has built the model
            model.set_weights(before)  # the statistics of normalisation layers
        return history

    train.fit = fit
