"""Training: Keras's own fit, evaluate and predict, fed without stalls, with progress."""

from dlbook.train.fitting import TrainingDivergedError, evaluate, fit, predict, restart
from dlbook.train.schedule import warmup_cosine

__all__ = ["TrainingDivergedError", "evaluate", "fit", "predict", "restart", "warmup_cosine"]
