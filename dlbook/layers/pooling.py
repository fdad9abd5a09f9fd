"""From a sequence to one list of numbers, with padding left out."""

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="dlbook")
class PoolOverTime(layers.Layer):
    """The mean and the largest value of each feature over all steps that are not padding."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_mask(self, inputs, previous_mask=None):
        return None  # no steps are left

    def call(self, inputs, mask=None):
        """Pool.

        Args:
            inputs: (batch, steps, features).
            mask: (batch, steps), true where there is something to read. None: everywhere.

        Returns:
            (batch, 2 * features): the means, then the largest values. Both are 0 where the mask
            is false at every step.
        """
        # a sum over many steps needs more than 16 bits
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        mask = ops.ones_like(x[..., 0], "bool") if mask is None else ops.cast(mask, "bool")
        keep = mask[..., None]  # (batch, steps, 1)
        count = ops.sum(ops.cast(keep, x.dtype), axis=1)  # (batch, 1)
        mean = ops.sum(ops.where(keep, x, 0.0), axis=1) / ops.maximum(count, 1.0)
        largest = ops.max(ops.where(keep, x, -np.inf), axis=1)
        largest = ops.where(count > 0, largest, 0.0)
        return ops.cast(ops.concatenate([mean, largest], axis=-1), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2 * input_shape[-1])
