"""Training steps of the book's models against plain PyTorch, and train.fit against model.fit.

Keras runs a compiled model, fed by ``dlbook.train.fit``, shuffled, with the settings that the table
names. For the two small nets these are the benchmark's, not the chapters', which leave
``steps_per_execution`` at 1. Pictures come as stored, and accuracy is among the metrics. PyTorch
runs as the articles' listings do, eagerly and on the same number of threads: tensors in memory
(pixels scaled and laid out beforehand), slices for batches, ``zero_grad``, forward, loss,
``backward``, ``step``, and no metric.

Both sides have the same arrays, the same number of parameters, optimizers of the same kind and
constant learning rates. The time of a step does not depend on what the arrays show, so they are
drawn at random: texts without padding, on which PyTorch's LSTM needs no packing.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import timing

from dlbook import train
from dlbook.models import bert, cnn, gpt, lstm, mlp, resnet, rnn, transformer, translation, vae

import keras  # isort: skip
import torch  # isort: skip

import torch_nets  # isort: skip
import torch_transformers  # isort: skip

WORDS, CHARACTERS, PIECES = 10_000, 65, 3_002
Arrays = tuple[np.ndarray, np.ndarray | None]
Tensors = tuple[torch.Tensor, torch.Tensor]


class Training(NamedTuple):
    """How models of one kind are trained, on both sides.

    Attributes:
        batch: Examples of a step.
        loss: Keras's loss; None where the model has its own.
        torch_loss: PyTorch's, of outputs and targets.
        tensors: Makes PyTorch's inputs and targets of the arrays.
        metrics: Keras's metrics.
        optimizer: Makes Keras's optimizer.
        torch_optimizer: Makes PyTorch's.
        clip: Longest gradient that PyTorch allows; Keras's limit stands in its optimizer.
    """

    batch: int
    loss: str | keras.losses.Loss | None
    torch_loss: Callable[[Any, torch.Tensor], torch.Tensor]
    tensors: Callable[[np.ndarray, np.ndarray | None], Tensors]
    metrics: tuple[str, ...] = ()
    optimizer: Callable[[], keras.optimizers.Optimizer] = lambda: keras.optimizers.Adam(1e-3)
    torch_optimizer: Callable[[Iterable], torch.optim.Optimizer] = lambda parameters: (
        torch.optim.Adam(parameters, lr=1e-3)
    )
    clip: float | None = None


class Row(NamedTuple):
    """One model on both sides.

    Attributes:
        title: What the table calls it.
        keras_net: Builds the Keras model.
        torch_net: Builds the PyTorch module.
        training: How it is trained.
        arrays: Makes inputs and targets for a number of examples.
        steps: Steps of a round.
        jit_compile: XLA on or off. It slows convolutions on a CPU, so it is off for them, as in
            their chapter, and it is off for the encoder as in its chapter. It was faster for the
            two small nets, the recurrent ones and the GPT. Chapter 09 leaves it off all the same:
            XLA compiles anew for every width of its batches.
        steps_per_execution: Steps between two returns to Python. It helps the two small nets.
        torch_has_more: Parameters that PyTorch's module has more.
    """

    title: str
    keras_net: Callable[[], keras.Model]
    torch_net: Callable[[], torch.nn.Module]
    training: Training
    arrays: Callable[[int], Arrays]
    steps: int
    jit_compile: bool = False
    steps_per_execution: int = 1
    torch_has_more: int = 0


def _pictures(*shape: int) -> Callable[[int], Arrays]:
    def make(count: int) -> Arrays:
        generator = np.random.default_rng(0)
        x = generator.integers(0, 256, size=(count, *shape), dtype=np.uint8)
        return x, generator.integers(0, 10, size=count)

    return make


def _xor(count: int) -> Arrays:
    times = count // len(mlp.XOR_X)
    return np.tile(mlp.XOR_X, (times, 1)), np.tile(mlp.XOR_Y, (times, 1))


def _texts(count: int) -> Arrays:
    generator = np.random.default_rng(0)
    x = generator.integers(1, WORDS, size=(count, 200), dtype=np.int32)
    return x, generator.integers(0, 2, size=(count, 1)).astype("float32")


def _characters(count: int) -> Arrays:
    window = np.random.default_rng(0).integers(0, CHARACTERS, size=(count, 65), dtype=np.int32)
    return window[:, :-1], window[:, 1:]


def _sentence_pairs(count: int) -> Arrays:
    source, target = (
        np.random.default_rng(0).integers(1, PIECES, size=(count, width), dtype=np.int32)
        for width in (12, 17)
    )
    return (source, target[:, :-1]), target[:, 1:]


def _flat_pictures(count: int) -> Arrays:
    return _pictures(784)(count)[0], None


def _as_floats(x: np.ndarray, y: np.ndarray) -> Tensors:
    return torch.from_numpy(x).float(), torch.from_numpy(y).float()


def _channels_first(x: np.ndarray, y: np.ndarray) -> Tensors:
    inputs = torch.from_numpy(x).permute(0, 3, 1, 2).float().div(255).contiguous()
    return inputs, torch.from_numpy(y)


def _numbers_and_labels(x: np.ndarray, y: np.ndarray) -> Tensors:
    return torch.from_numpy(x).long(), torch.from_numpy(y)


def _numbers_of_both(x: np.ndarray, y: np.ndarray) -> Tensors:
    return torch.from_numpy(x).long(), torch.from_numpy(y).long()


def _both_sides(x: tuple[np.ndarray, np.ndarray], y: np.ndarray) -> Tensors:
    return torch.from_numpy(np.concatenate(x, axis=1)).long(), torch.from_numpy(y).long()


def _shares_of_ink(x: np.ndarray, y: None) -> Tensors:
    inputs = torch.from_numpy(x).float().div(255)
    return inputs, inputs  # a VAE's targets are what it draws from its inputs


def _class_scores() -> keras.losses.Loss:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _smoothed(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    logits, targets = logits.flatten(0, 1), targets.flatten()
    return torch.nn.functional.cross_entropy(logits, targets, ignore_index=0, label_smoothing=0.1)


def _each_token(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


XOR = Training(4, "binary_crossentropy", torch.nn.BCELoss(), _as_floats, ("accuracy",))
PICTURES = Training(
    64, _class_scores(), torch.nn.CrossEntropyLoss(), _channels_first, ("accuracy",)
)
TEXTS = Training(
    128,
    keras.losses.BinaryCrossentropy(from_logits=True),
    torch.nn.BCEWithLogitsLoss(),
    _numbers_and_labels,
    ("accuracy",),
)
LANGUAGE = Training(
    32,
    _class_scores(),
    _each_token,
    _numbers_of_both,
    optimizer=lambda: keras.optimizers.AdamW(
        1e-3, weight_decay=0.1, beta_2=0.99, global_clipnorm=1.0
    ),
    torch_optimizer=lambda parameters: torch.optim.AdamW(
        parameters, lr=1e-3, weight_decay=0.1, betas=(0.9, 0.99), fused=True
    ),
    clip=1.0,
)
TRANSLATION = LANGUAGE._replace(
    batch=256,
    loss=translation.smoothed_cross_entropy,
    torch_loss=_smoothed,
    tensors=_both_sides,
)
INK = Training(128, None, torch_nets.negative_elbo, _shares_of_ink)


def _keras_encoder() -> keras.Model:
    return transformer.build_text_classifier(WORDS, max_length=200, num_layers=2, num_heads=2)


def _keras_bert() -> keras.Model:
    encoder = bert.BertEncoder(WORDS, max_length=200, num_layers=2, num_heads=2, dropout=0.1)
    return bert.build_classifier(encoder, 1)


def _torch_translator() -> torch.nn.Module:
    return torch_transformers.Translator(PIECES, 12)


def _torch_bert() -> torch.nn.Module:
    return torch_transformers.BertClassifier(WORDS, 200, num_layers=2, num_heads=2, width=128)


def _torch_encoder() -> torch.nn.Module:
    positions = transformer.sinusoidal_positions(200, 64)
    return torch_nets.TextEncoder(WORDS, positions, num_layers=2, num_heads=2)


GREY, COLOUR = _pictures(28, 28, 1), _pictures(32, 32, 3)
ROWS = {
    "xor": Row(
        *("XOR net, 4 × 2", mlp.build_mlp, torch_nets.xor_net, XOR, _xor, 1000),
        jit_compile=True,
        steps_per_execution=50,
    ),
    "dense": Row(
        *("dense net, 64 × 784", cnn.build_dense_net, torch_nets.dense_net, PICTURES, GREY, 200),
        jit_compile=True,
        steps_per_execution=10,
    ),
    "language": Row(
        "CNN of Language, 64 × 28×28",
        *(cnn.build_language_cnn, torch_nets.language_cnn, PICTURES, GREY, 16),
    ),
    "ten": Row(
        "CNN of Ten, 64 × 28×28",
        *(cnn.build_ten_cnn, torch_nets.ten_cnn, PICTURES, GREY, 12),
    ),
    "primer": Row(
        "CNN of Primer, 64 × 32×32×3",
        *(cnn.build_primer_cnn, torch_nets.primer_cnn, PICTURES, COLOUR, 16),
    ),
    "cnn": Row(
        "the book's CNN, 64 × 28×28",
        *(cnn.build_cnn, torch_nets.book_cnn, PICTURES, GREY, 16),
    ),
    "resnet": Row(
        "ResNet-20, 64 × 32×32×3",
        *(resnet.build_resnet, torch_nets.resnet, PICTURES, COLOUR, 8),
    ),
    "rnn": Row(
        "two plain recurrent layers, 128 × 200 words",
        *(rnn.build_sentiment_rnn, torch_nets.SentimentRNN, TEXTS, _texts, 8),
        jit_compile=True,
        torch_has_more=2 * 32,  # PyTorch's layers add two biases where one would do
    ),
    "lstm": Row(
        "LSTM, 128 × 200 words",
        *(lstm.build_sentiment_lstm, torch_nets.SentimentLSTM, TEXTS, _texts, 8),
        jit_compile=True,
        torch_has_more=4 * 32,  # PyTorch's LSTM adds two biases where one would do
    ),
    "encoder": Row(
        "Transformer encoder of 2 blocks, 32 × 200 words",
        *(_keras_encoder, _torch_encoder, TEXTS._replace(batch=32), _texts, 10),
    ),
    "bert": Row(
        "BERT of 2 blocks, fine-tuning, 32 × 200 pieces",
        *(_keras_bert, _torch_bert, TEXTS._replace(batch=32), _texts, 6),
    ),
    "gpt": Row(
        "GPT of 4 blocks, 32 × 64 characters",
        *(lambda: gpt.GPT(CHARACTERS), lambda: torch_nets.GPT(CHARACTERS)),
        *(LANGUAGE, _characters, 8),
        jit_compile=True,
    ),
    "translation": Row(
        "Transformer of 2 + 2 blocks, 256 × (12 + 16) pieces",
        *(
            lambda: translation.Translator(PIECES),
            lambda: torch_transformers.Translator(PIECES, 12),
        ),
        *(TRANSLATION, _sentence_pairs, 4),
        jit_compile=True,
    ),
    "vae": Row("VAE, 128 × 784", vae.build_vae, torch_nets.VAE, INK, _flat_pictures, 40),
}
# the dense net with train.fit and with model.fit: steps of an epoch, epochs of a round
FITS = {"fit-small": (16, 20), "fit-middle": (64, 10), "fit-long": (1000, 2)}


def compiled(row: Row) -> keras.Model:
    """The row's Keras model, ready to train."""
    keras.utils.set_random_seed(0)
    model = row.keras_net()
    model.compile(
        row.training.optimizer(),
        row.training.loss,
        metrics=list(row.training.metrics),
        jit_compile=row.jit_compile,
        steps_per_execution=row.steps_per_execution,
    )
    return model


def sides(row: Row, steps: int) -> tuple[timing.Side, timing.Side]:
    """Rounds of ``train.fit``, and of PyTorch's plain loop, on the same arrays.

    Args:
        row: What to train.
        steps: Steps of a round.

    Returns:
        Keras's side and PyTorch's.

    Raises:
        ValueError: The two models differ in size.
    """
    training = row.training
    x, y = row.arrays(steps * training.batch)
    model = compiled(row)
    torch.manual_seed(0)
    net = row.torch_net()
    sizes = [
        sum(int(np.prod(weight.shape)) for weight in weights)
        for weights in (model.trainable_variables, net.parameters())
    ]
    if sizes[0] + row.torch_has_more != sizes[1]:
        raise ValueError(f"{row.title}: Keras has {sizes[0]:,} parameters, PyTorch {sizes[1]:,}")
    inputs, targets = training.tensors(x, y)
    optimizer = training.torch_optimizer(net.parameters())
    net.train()

    def keras_side() -> float:
        history = train.fit(model, x, y, epochs=1, batch_size=training.batch, table=False)
        return 1000 * history.history["seconds"][0] / steps

    def epoch() -> None:
        for start in range(0, len(inputs), training.batch):
            batch = slice(start, start + training.batch)
            optimizer.zero_grad()
            loss = training.torch_loss(net(inputs[batch]), targets[batch])
            loss.backward()
            if training.clip:
                torch.nn.utils.clip_grad_norm_(net.parameters(), training.clip)
            optimizer.step()

    return keras_side, lambda: timing.milliseconds(epoch, steps)


def steps_table(names: list[str], quick: bool) -> str:
    """Measure some of ``ROWS``."""
    rows = []
    for name in names:
        row = ROWS[name]
        steps = max(row.steps_per_execution, row.steps // 20, 2) if quick else row.steps
        rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS
        found = timing.compare(name, *sides(row, steps), rounds)
        settings = f"jit_compile={row.jit_compile}, steps_per_execution={row.steps_per_execution}"
        rows.append([row.title + found.note, *found.cells(), settings])
    head = ["training step", "Keras, ms", "PyTorch, ms", "PyTorch / Keras", "Keras's settings"]
    return timing.markdown(head, rows)


def fit_sides(steps: int, epochs: int) -> tuple[timing.Side, timing.Side]:
    """Rounds of whole calls of ``train.fit`` and of ``model.fit`` on NumPy arrays."""
    # one step at a time: the default of both
    row = ROWS["dense"]._replace(jit_compile=False, steps_per_execution=1)
    batch = row.training.batch
    x, y = row.arrays(steps * batch)
    ours, plain = compiled(row), compiled(row)

    def with_train() -> None:
        train.fit(ours, x, y, epochs=epochs, batch_size=batch, table=False)

    def with_keras() -> None:
        plain.fit(x, y, epochs=epochs, batch_size=batch, verbose=0)

    return (
        lambda: timing.milliseconds(with_train, epochs * steps),
        lambda: timing.milliseconds(with_keras, epochs * steps),
    )


def fits_table(names: list[str], quick: bool) -> str:
    """Measure some of ``FITS``."""
    rows = []
    for name in names:
        steps, epochs = FITS[name]
        if quick:
            steps, epochs = min(steps, 64), 2
        rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS // 3
        found = timing.compare(name, *fit_sides(steps, epochs), rounds)
        title = f"dense net, {epochs} epochs of {steps} steps"
        rows.append([title + found.note, *found.cells()])
    return timing.markdown(
        ["a step of whole calls", "`train.fit`, ms", "`model.fit`, ms", "ratio"], rows
    )
