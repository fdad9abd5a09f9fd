"""Generative adversarial networks (GANs): two nets that train each other, and small builders.

Images go in and come out as numbers from −1 to 1 (``scale_images`` makes them, ``to_pixels`` leads
back), because the generators for images end in tanh. Other data keep their own scale.

Papers: Goodfellow and others, "Generative adversarial nets", NeurIPS 2014; Mirza & Osindero,
"Conditional generative adversarial nets", 2014; Radford, Metz & Chintala, "Unsupervised
representation learning with deep convolutional generative adversarial networks" (DCGAN), ICLR
2016; Mescheder, Geiger & Nowozin, "Which training methods for GANs do actually converge?" (the
Dirac-GAN and the R1 penalty), ICML 2018.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf  # the R1 penalty needs the slope of a slope
from keras import layers, ops


def discriminator_loss(
    real_logits: keras.KerasTensor, fake_logits: keras.KerasTensor
) -> keras.KerasTensor:
    """Cross-entropy of telling real from fake, nats: −log D(real) − log(1 − D(fake)).

    Args:
        real_logits: Any shape; their sigmoid is D, the probability of being real.
        fake_logits: Any shape.

    Returns:
        A number, the sum of the two means: 2 log 2 = 1.386 for a discriminator that cannot tell.
    """
    return ops.mean(ops.softplus(-real_logits)) + ops.mean(ops.softplus(fake_logits))


def non_saturating_loss(fake_logits: keras.KerasTensor) -> keras.KerasTensor:
    """The generator's loss −log D(fake): its slope is steep where the fakes are seen through."""
    return ops.mean(ops.softplus(-fake_logits))


def saturating_loss(fake_logits: keras.KerasTensor) -> keras.KerasTensor:
    """The generator's loss log(1 − D(fake)): its slope is 0 where the fakes are seen through."""
    return -ops.mean(ops.softplus(fake_logits))


GENERATOR_LOSSES = {"non-saturating": non_saturating_loss, "saturating": saturating_loss}


def scale_images(pixels: np.ndarray) -> np.ndarray:
    """Grey values 0 to 255 as float32 from −1 to 1, with an axis for the channel.

    Args:
        pixels: (images, height, width) or (images, height, width, channels).

    Returns:
        (images, height, width, channels).

    Raises:
        ValueError: Pixels outside 0 to 255, NaN, or scaled already, to 0 to 1 or −1 to 1.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim not in (3, 4):
        raise ValueError(
            f"pixels must have the shape (images, height, width[, channels]), not {pixels.shape}"
        )
    if not pixels.size:
        raise ValueError("pixels is empty: it needs at least one image")
    low, high = float(pixels.min()), float(pixels.max())
    if not (low >= 0 and high <= 255) or 0 < high <= 1:  # NaN fails the first comparison
        raise ValueError(
            f"pixels must be grey values from 0 to 255, none of them NaN, not from {low:g} to "
            f"{high:g}: pass them as they are stored, unscaled"
        )
    images = pixels.astype("float32") / 127.5 - 1.0
    return images[..., None] if images.ndim == 3 else images


def to_pixels(images: np.ndarray) -> np.ndarray:
    """From −1 to 1 back to grey values, uint8; what lies outside is cut off."""
    return np.round(np.clip(127.5 * (np.asarray(images) + 1.0), 0, 255)).astype(np.uint8)


def build_mlp_generator(
    latent_dim: int = 2,
    output_dim: int = 2,
    *,
    hidden_units: Sequence[int] = (128, 128),
    activation: str = "relu",
    output_activation: str | None = None,
) -> keras.Model:
    """Dense layers from noise to an example.

    Args:
        latent_dim: Numbers of noise.
        output_dim: Numbers of an example.
        hidden_units: Units of each hidden layer.
        activation: Of the hidden layers.
        output_activation: "tanh" for examples from −1 to 1.

    Returns:
        A model from (batch, latent) to (batch, output).
    """
    noise = x = keras.Input((latent_dim,), name="noise")
    for units in hidden_units:
        x = layers.Dense(units, activation=activation)(x)
    outputs = layers.Dense(output_dim, activation=output_activation, dtype="float32")(x)
    return keras.Model(noise, outputs, name="generator")


def build_mlp_discriminator(
    input_dim: int = 2, *, hidden_units: Sequence[int] = (128, 128), activation: str = "leaky_relu"
) -> keras.Model:
    """Dense layers from an example to a logit: above 0 where it looks real.

    Args:
        input_dim: Numbers of an example.
        hidden_units: Units of each hidden layer.
        activation: Of the hidden layers.

    Returns:
        A model from (batch, input) to (batch, 1).
    """
    example = x = keras.Input((input_dim,), name="example")
    for units in hidden_units:
        x = layers.Dense(units, activation=activation)(x)
    return keras.Model(example, layers.Dense(1, dtype="float32")(x), name="discriminator")


def build_dcgan_generator(
    latent_dim: int = 64, *, filters: int = 32, num_classes: int | None = None
) -> keras.Model:
    """Transposed convolutions from noise to an image of 28×28×1.

    Args:
        latent_dim: Numbers of noise.
        filters: Channels at 14×14 pixels; twice as many at 7×7.
        num_classes: With classes the model takes the pair (noise, classes).

    Returns:
        A model from (batch, latent), and (batch,) classes if any, to (batch, 28, 28, 1), −1 to 1.
    """
    inputs = x = keras.Input((latent_dim,), name="noise")
    if num_classes is not None:
        classes = keras.Input((), dtype="int32", name="classes")
        x = layers.Concatenate()([x, _one_hot(classes, num_classes)])
        inputs = [inputs, classes]
    x = layers.Dense(7 * 7 * 2 * filters, use_bias=False)(x)
    x = layers.Reshape((7, 7, 2 * filters))(layers.ReLU()(layers.BatchNormalization()(x)))
    x = layers.Conv2DTranspose(filters, 4, strides=2, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    image = layers.Conv2DTranspose(
        1, 4, strides=2, padding="same", activation="tanh", dtype="float32"
    )(x)
    return keras.Model(inputs, image, name="generator")


def build_dcgan_discriminator(*, filters: int = 32, num_classes: int | None = None) -> keras.Model:
    """Convolutions of stride 2 from an image of 28×28×1 to a logit.

    There is no batch normalisation: it would make the logit of an image depend on its batch, and
    the R1 penalty is about the slope at one image.

    Args:
        filters: Channels at 14×14 pixels; twice as many at 7×7.
        num_classes: With classes the model takes the pair (images, classes) and has a logit for
            each class, of which it returns that of the class it is given.

    Returns:
        A model from (batch, 28, 28, 1), and (batch,) classes if any, to (batch, 1).
    """
    inputs = x = keras.Input((28, 28, 1), name="image")
    for count in (filters, 2 * filters):
        x = layers.LeakyReLU(0.2)(layers.Conv2D(count, 4, strides=2, padding="same")(x))
    x = layers.Flatten()(x)
    if num_classes is None:
        return keras.Model(inputs, layers.Dense(1, dtype="float32")(x), name="discriminator")
    classes = keras.Input((), dtype="int32", name="classes")
    logits = layers.Dense(num_classes, dtype="float32")(x)
    logit = layers.Dot(1)([logits, _one_hot(classes, num_classes)])
    return keras.Model([inputs, classes], logit, name="discriminator")


def build_dcgan(
    latent_dim: int = 64,
    *,
    filters: int = 32,
    num_classes: int | None = None,
    penalty: float = 1.0,
    seed: int = 0,
) -> "GAN":
    """A small DCGAN with R1 penalty for images of 28×28×1, −1 to 1.

    Args:
        latent_dim: Numbers of noise.
        filters: Channels at 14×14 pixels of both nets; twice as many at 7×7.
        num_classes: With classes both nets are told the class.
        penalty: Weight of the R1 penalty.
        seed: Seed of the noise.
    """
    return GAN(
        build_dcgan_generator(latent_dim, filters=filters, num_classes=num_classes),
        build_dcgan_discriminator(filters=filters, num_classes=num_classes),
        penalty=penalty,
        seed=seed,
    )


@keras.saving.register_keras_serializable(package="dlbook")
class GAN(keras.Model):
    """A generator and a discriminator, trained in turns by two optimizers.

    ``compile(optimizer, discriminator_optimizer)`` takes one optimizer for each net and no loss.
    ``fit`` takes examples and no targets; with classes, the pair (examples, classes), as one tuple.
    A step moves the discriminator first, then the generator against the discriminator as it now
    is. The logs are "loss", the discriminator's without the penalty (2 log 2 where it cannot tell),
    "penalty", unweighted, and "generator_loss". None of them says how good the fakes are.

    The whole state, both optimizers' too, is in ``save`` and in ``save_weights``; so
    ``keras.callbacks.BackupAndRestore`` resumes the run that was broken off.

    Args:
        generator: From noise (batch, latent), or (noise, classes), to examples.
        discriminator: From examples, or (examples, classes), to logits (batch, 1).
        penalty: Weight γ of the R1 penalty, γ/2 times the mean squared length of the slope of the
            logit at real examples. 0 for none.
        generator_loss: "non-saturating" or "saturating".
        seed: Seed of the noise.

    Raises:
        ValueError: The generator's output does not fit into the discriminator; a penalty below 0;
            an unknown loss; only one of the nets takes classes.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        penalty: float = 0.0,
        generator_loss: str = "non-saturating",
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        made, judged = generator.output.shape[1:], discriminator.inputs[0].shape[1:]
        if made != judged:
            raise ValueError(
                f"generator makes examples of shape {made}, but discriminator takes {judged}"
            )
        if len(generator.inputs) != len(discriminator.inputs):
            raise ValueError("classes go into generator and discriminator, or into neither")
        if not penalty >= 0:
            raise ValueError(f"penalty must be 0 or more, not {penalty}")
        if generator_loss not in GENERATOR_LOSSES:
            raise ValueError(
                f"generator_loss must be {' or '.join(GENERATOR_LOSSES)}, not {generator_loss!r}"
            )
        self.generator, self.discriminator = generator, discriminator
        self.penalty, self.generator_loss, self.seed = float(penalty), generator_loss, seed
        self.noise = keras.random.SeedGenerator(seed)
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.penalty_tracker = keras.metrics.Mean(name="penalty")
        self.generator_tracker = keras.metrics.Mean(name="generator_loss")
        self.built = True  # both nets are

    @property
    def latent_dim(self) -> int:
        """Numbers of noise that an example is made of."""
        return self.generator.inputs[0].shape[-1]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.loss_tracker, self.penalty_tracker, self.generator_tracker]

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        **settings: Any,
    ) -> None:
        """One optimizer for each net.

        Args:
            optimizer: The generator's.
            discriminator_optimizer: The discriminator's, another object.
            **settings: As for ``keras.Model.compile``: ``jit_compile``, ``steps_per_execution``.

        Raises:
            ValueError: One optimizer for both nets, or a loss.
        """
        if settings.get("loss") is not None:
            raise ValueError("a GAN has its own losses: choose generator_loss= when it is made")
        if optimizer is discriminator_optimizer:
            raise ValueError(
                "optimizer and discriminator_optimizer must be two objects: an optimizer keeps "
                "averages of the slopes of its own net"
            )
        super().compile(optimizer=optimizer, **settings)
        self.discriminator_optimizer = keras.optimizers.get(discriminator_optimizer)
        # at once, so that weights of a broken run can be loaded with the optimizers' state
        self.optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

    def call(self, inputs, training=None):
        """Examples made of noise (batch, latent), or of (noise, classes)."""
        return self.generator(inputs, training=training)

    def train_step(self, data):
        """One move of the discriminator, then one of the generator."""
        inputs, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        real, *classes = inputs if isinstance(inputs, tuple | list) else (inputs,)
        real = ops.cast(real, "float32")
        noise = self._noise(ops.shape(real)[0])
        with tf.GradientTape() as generator_tape:
            fake = self.generator(_beside(noise, classes), training=True)
        with tf.GradientTape() as tape:
            fake_logits = self.discriminator(
                _beside(ops.stop_gradient(fake), classes), training=True
            )
            real_logits, penalty = self._judge_real(real, classes)
            loss = discriminator_loss(real_logits, fake_logits)
            total = loss + 0.5 * self.penalty * penalty
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(total, weights), weights)

        # the generator has not moved, so the same fakes go on to the discriminator as it now is
        weights = self.generator.trainable_variables
        with generator_tape:
            fake_logits = self.discriminator(_beside(fake, classes), training=True)
            generator_loss = GENERATOR_LOSSES[self.generator_loss](fake_logits)
        self.optimizer.apply(generator_tape.gradient(generator_loss, weights), weights)

        self.loss_tracker.update_state(loss)
        self.penalty_tracker.update_state(penalty)
        self.generator_tracker.update_state(generator_loss)
        return {metric.name: metric.result() for metric in self.metrics}

    def generate(self, count: int, classes: np.ndarray | None = None, *, seed: int) -> np.ndarray:
        """New examples.

        Args:
            count: How many.
            classes: (count,) the classes asked for, where the nets take them.
            seed: Another seed, other examples. The model's own noise is left as it is.

        Returns:
            (count, ...), as the generator makes them.

        Raises:
            ValueError: ``count`` below 1; classes missing, too many, or not asked for.
        """
        if count < 1:
            raise ValueError(f"count must be 1 or more, not {count}")
        takes_classes = len(self.generator.inputs) > 1
        if takes_classes != (classes is not None):
            raise ValueError(
                "this generator takes classes: say which with classes="
                if takes_classes
                else "this generator takes no classes: leave classes= out"
            )
        if classes is not None and np.shape(classes) != (count,):
            raise ValueError(f"classes must have the shape ({count},), not {np.shape(classes)}")
        noise = np.random.default_rng(seed).normal(size=(count, self.latent_dim))
        parts = [noise.astype("float32")]
        if classes is not None:
            parts.append(np.asarray(classes, "int32"))
        made = []
        for start in range(0, count, 1000):
            batch = [ops.convert_to_tensor(part[start : start + 1000]) for part in parts]
            made.append(ops.convert_to_numpy(self.generator(_beside(batch[0], batch[1:]))))
        return np.concatenate(made)

    def get_config(self):
        return {
            **super().get_config(),
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "penalty": self.penalty,
            "generator_loss": self.generator_loss,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        for net in ("generator", "discriminator"):
            config[net] = keras.saving.deserialize_keras_object(config[net])
        return cls(**config)

    def get_compile_config(self):
        if not self.compiled:
            return None
        names = ("optimizer", "discriminator_optimizer")
        config = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in names}
        return {**config, "jit_compile": self.jit_compile}

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store):
        store["noise"] = ops.convert_to_numpy(self.noise.state)  # Keras would leave it out

    def load_own_variables(self, store):
        self.noise.state.assign(store["noise"])

    def _noise(self, count):
        return keras.random.normal((count, self.latent_dim), seed=self.noise)

    def _judge_real(self, real, classes):
        """Logits of real examples, and the R1 penalty without its weight."""
        if not self.penalty:
            return self.discriminator(_beside(real, classes), training=True), 0.0
        with tf.GradientTape() as tape:
            tape.watch(real)
            logits = self.discriminator(_beside(real, classes), training=True)
        slopes = tape.gradient(logits, real)
        axes = tuple(range(1, len(slopes.shape)))
        return logits, ops.mean(ops.sum(ops.square(slopes), axis=axes))


def _beside(first, classes):
    """What a net takes: one input, or it and the classes."""
    return [first, *classes] if len(classes) else first


def _one_hot(classes, num_classes):
    return layers.CategoryEncoding(num_classes, output_mode="one_hot")(classes)
