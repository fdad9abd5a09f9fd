"""Training: Keras's own fit, evaluate and predict, fed without stalls, with progress."""

from dlbook.train.fitting import (
    TrainingDivergedError,
    batches,
    evaluate,
    fit,
    predict,
    restart,
)
from dlbook.train.schedule import warmup_cosine

__all__ = [
    "TrainingDivergedError",
    "batches",
    "evaluate",
    "fit",
    "predict",
    "restart",
    "warmup_cosine",
]
