"""Writing with a language model: choosing the next token, with and without a cache.

Works with any model that has ``max_length``, ``vocabulary_size``, ``empty_cache(batch)`` and
``step(tokens, cache, start)``, as ``dlbook.models.gpt.GPT``.

Papers: Holtzman and others, "The curious case of neural text degeneration", ICLR 2020 (top-p);
Pope and others, "Efficiently scaling Transformer inference", MLSys 2023 (the cache).
"""

import weakref
from collections.abc import Callable

import keras
import numpy as np
from keras import ops


def keep_top_k(logits, k: int):
    """Rule out all but the k likeliest tokens (and those that tie with the last of them)."""
    if k < 1:
        raise ValueError(f"top_k must be 1 or more, not {k}")
    k = min(k, logits.shape[-1])
    last = ops.top_k(logits, k)[0][..., -1:]
    return ops.where(logits < last, ops.cast(-np.inf, logits.dtype), logits)


def keep_top_p(logits, p: float):
    """Keep the fewest likeliest tokens whose probabilities add up to p or more.

    With p = 1 all are kept. The likeliest token is always kept.
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p must be above 0 and at most 1, not {p}")
    if p == 1:  # below, rounding would cost the unlikeliest their place
        return logits
    ordered = -ops.sort(-logits, axis=-1)
    probabilities = ops.softmax(ordered)
    before = ops.cumsum(probabilities, axis=-1) - probabilities  # of the likelier ones
    last = ops.min(ops.where(before < p, ordered, ops.cast(np.inf, logits.dtype)), -1, True)
    return ops.where(logits < last, ops.cast(-np.inf, logits.dtype), logits)


def next_token(logits, noise, temperature, top_k: int | None = None, top_p: float | None = None):
    """Choose a token: the likeliest, or a draw.

    The largest of logits plus Gumbel noise is a draw from their softmax. With the noise given,
    the same text comes out however the logits were computed.

    Args:
        logits: (batch, vocabulary).
        noise: The same shape, from the Gumbel distribution.
        temperature: 0 takes the likeliest; below 1 is more cautious than the model, above 1 wilder.
        top_k: Choose among so many.
        top_p: Choose among the likeliest that have this share of the probability, after the
            temperature.

    Returns:
        (batch,), int32.
    """
    warm = logits / ops.maximum(temperature, 1e-6)
    if top_k is not None:
        warm = keep_top_k(warm, top_k)
    if top_p is not None:
        warm = keep_top_p(warm, top_p)
    chosen = ops.argmax(warm + noise, axis=-1)
    return ops.cast(ops.where(temperature > 0, chosen, ops.argmax(logits, axis=-1)), "int32")


def generate(
    model: keras.Model,
    prompt: np.ndarray,
    num_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int = 0,
    use_cache: bool = True,
    jit_compile: bool = True,
) -> np.ndarray:
    """Continue a prompt, token by token.

    When the context is full, its second half is read anew and the text goes on from there.

    Args:
        model: The model.
        prompt: (batch, tokens) of integers; longer ones than the context are allowed, of which
            the last part is read.
        num_tokens: New tokens.
        temperature: See ``next_token``; 0 is greedy.
        top_k: See ``next_token``.
        top_p: See ``next_token``.
        seed: Seed of the draws.
        use_cache: Keep keys and values. Without it all tokens are computed again for each new
            one: the same text, later.
        jit_compile: Let XLA compile the loop (on TensorFlow). A small model then writes several
            times faster, and the compilation, once for each kind of choice, takes twice as long.

    Returns:
        (batch, prompt + new tokens), int32.

    Raises:
        ValueError: An empty prompt, a token outside the vocabulary, a negative temperature, a
            context of one token.
    """
    tokens = np.asarray(prompt)
    vocabulary = model.vocabulary_size
    if tokens.ndim != 2 or tokens.size == 0 or tokens.dtype.kind not in "iu":
        raise ValueError(
            f"prompt must be integers (batch, tokens) with at least one token, not {tokens.shape}"
        )
    if tokens.min() < 0 or tokens.max() >= vocabulary:
        raise ValueError(f"prompt: tokens must be from 0 to {vocabulary - 1}")
    if temperature < 0 or num_tokens < 0:
        raise ValueError("temperature and num_tokens must be 0 or more")
    context = model.max_length
    if context < 2:
        raise ValueError("a model of max_length=1 has no place for a next token")
    noise = np.random.default_rng(seed).gumbel(size=(num_tokens, len(tokens), vocabulary))
    write = _writer(model, use_cache, jit_compile, top_k, top_p)
    tokens, done = tokens.astype("int32"), 0
    while done < num_tokens:
        kept = tokens if tokens.shape[1] < context else tokens[:, -(context // 2) :]
        length = kept.shape[1]
        count = min(num_tokens - done, context - length)
        # arrays of the context's length, so that one compiled loop serves every window
        window = np.zeros((len(tokens), context), "int32")
        window[:, :length] = kept
        draws = np.zeros((context, len(tokens), vocabulary), "float32")
        draws[length - 1 : length - 1 + count] = noise[done : done + count]
        limits = np.int32([length - 1, length + count - 1])
        window = write(
            *map(ops.convert_to_tensor, (window, draws, *limits, np.float32(temperature)))
        )
        new = ops.convert_to_numpy(window)[:, length : length + count]
        tokens, done = np.concatenate([tokens, new], axis=1), done + count
    return tokens


def _writer(
    model: keras.Model,
    use_cache: bool,
    jit_compile: bool,
    top_k: int | None,
    top_p: float | None,
) -> Callable:
    """The compiled loop that fills a window of ``max_length`` tokens; made once for a model."""
    made = _writers.setdefault(model, {})
    key = (use_cache, jit_compile, top_k, top_p)
    if key in made:
        return made[key]
    reference = weakref.ref(model)  # the loop itself would keep the model alive

    def write(tokens, noise, first, last, temperature):
        model = reference()

        def body(position, tokens, cache):
            if use_cache:
                current = ops.slice(tokens, (0, position), (tokens.shape[0], 1))
                logits, cache = model.step(current, cache, position)
                logits = logits[:, 0]
            else:
                logits = ops.take(model(tokens, training=False), position, axis=1)
            draw = ops.take(noise, position, axis=0)
            new = next_token(logits, draw, temperature, top_k, top_p)
            return position + 1, ops.slice_update(tokens, (0, position + 1), new[:, None]), cache

        cache = ops.zeros(())
        if use_cache:
            # what stands behind the prompt is written over before anything looks at it
            _, cache = model.step(tokens, model.empty_cache(tokens.shape[0]), 0)
        state = (first, tokens, cache)
        return ops.while_loop(lambda position, *_: position < last, body, state)[1]

    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        write = tf.function(write, jit_compile=jit_compile, autograph=False)
    made[key] = write
    return write


_writers: "weakref.WeakKeyDictionary[keras.Model, dict]" = weakref.WeakKeyDictionary()
