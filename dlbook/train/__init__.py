"""Training: Keras's own fit, evaluate and predict, fed without stalls, with progress."""

from dlbook.train.fitting import (
    TrainingDivergedError,
    batches,
    evaluate,
    fit,
    predict,
    restart,
)

__all__ = ["TrainingDivergedError", "batches", "evaluate", "fit", "predict", "restart"]
