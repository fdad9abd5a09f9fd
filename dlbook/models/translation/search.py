"""Writing a translation: the likeliest token at each step, or the best of several beginnings.

Works with any model that has ``encode``, ``step``, ``empty_cache``, ``select`` and ``repeat`` as
``dlbook.models.translation.Translator``.

Paper: Wu and others, "Google's neural machine translation system", 2016 (the length penalty).
"""

import weakref

import keras
import numpy as np
from keras import ops

from dlbook.models.translation.model import PADDING

_NEVER = -1e9


def length_penalty(length, alpha):
    """What a sum of log-probabilities is divided by: ((5 + length) / 6) ** alpha.

    Every further token makes the sum smaller, so the bare sum prefers short translations. With
    alpha = 0 nothing is divided, with alpha = 1 nearly the mean of a token decides.
    """
    return ((5.0 + ops.cast(length, "float32")) / 6.0) ** alpha


def translate(
    model: keras.Model,
    source: np.ndarray,
    *,
    start: int,
    end: int,
    max_length: int = 24,
    num_beams: int = 1,
    alpha: float = 0.6,
    batch_size: int = 256,
    use_cache: bool = True,
    jit_compile: bool = True,
) -> np.ndarray:
    """Translate sentences; many at once.

    At each step each of the ``num_beams`` beginnings of a sentence is continued by every token,
    and the best ``num_beams`` of all these go on, judged by the sum of their log-probabilities
    over ``length_penalty``. One that has ended is kept as it is, and must go on being among the
    best. One beam is greedy search: the likeliest token at each step.

    Args:
        model: The model.
        source: (sentences, width) of integers; 0 is padding.
        start: The token that a translation begins with.
        end: The token that ends it.
        max_length: The most tokens that are written, the end included.
        num_beams: Beginnings that are kept of a sentence.
        alpha: See ``length_penalty``.
        batch_size: Sentences computed at once.
        use_cache: Keep keys and values, or states. Without it all tokens are computed again for
            each new one: the same translations, later.
        jit_compile: Let XLA compile the loop (on TensorFlow).

    Returns:
        (sentences, max_length), int32: the tokens, without the start and the end, then zeros.

    Raises:
        ValueError: No sentence, or one that is all padding; a token outside the vocabulary; fewer
            than one beam; a ``max_length`` that the model cannot hold.
    """
    source = np.asarray(source)
    _check(model, source, start, end, max_length, num_beams)
    run = _searcher(model, (start, end, max_length, num_beams, use_cache, jit_compile))
    alpha = ops.convert_to_tensor(float(alpha), "float32")
    batch_size = min(batch_size, len(source))
    # short sentences together, so that a batch of them ends early
    order = np.argsort((source != PADDING).sum(axis=1), kind="stable")
    written = np.zeros((len(source), max_length), "int32")
    for first in range(0, len(source), batch_size):
        rows = order[first : first + batch_size]
        batch = np.resize(source[rows], (batch_size, source.shape[1])).astype("int32")
        written[rows] = ops.convert_to_numpy(run(ops.convert_to_tensor(batch), alpha))[: len(rows)]
    return written


def _check(model, source, start, end, max_length, num_beams):
    vocabulary = model.vocabulary_size
    if source.ndim != 2 or source.size == 0 or source.dtype.kind not in "iu":
        raise ValueError(
            f"source must be integers (sentences, width) with at least one sentence, not "
            f"{source.dtype} of shape {source.shape}"
        )
    if source.min() < 0 or source.max() >= vocabulary:
        raise ValueError(
            f"source: tokens must be from 0 to {vocabulary - 1}; was the vocabulary made with "
            f"this model?"
        )
    empty = np.flatnonzero((source == PADDING).all(axis=1))
    if len(empty):
        raise ValueError(f"source: sentence {empty[0]} is all padding; leave it out")
    if not (0 < start < vocabulary and 0 < end < vocabulary and start != end):
        raise ValueError(f"{start=} and {end=} must be two tokens from 1 to {vocabulary - 1}")
    if not 1 <= num_beams <= vocabulary:
        raise ValueError(f"num_beams must be from 1 to {vocabulary}, got {num_beams}")
    longest = getattr(model, "max_length", np.inf)
    if not 1 <= max_length <= longest:
        raise ValueError(f"max_length must be from 1 to the model's {longest}, got {max_length}")


def _searcher(model, settings):
    """The compiled search, from a batch of sources to tokens; made once for a model."""
    made = _searchers.setdefault(model, {})
    if settings in made:
        return made[settings]
    start, end, length, beams, use_cache, jit_compile = settings
    reference = weakref.ref(model)  # the function itself would keep the model alive

    def search(source, alpha):
        model, batch = reference(), source.shape[0]
        vocabulary = model.vocabulary_size
        memory = model.repeat(model.encode(source), beams)
        wide = ops.repeat(source, beams, axis=0)
        offsets = ops.arange(batch)[:, None] * beams  # (sentence, 1): its first row
        every = ops.arange(vocabulary)
        may_be_written = ops.logical_and(every != PADDING, every != start)
        # a beginning that has ended can only be followed by padding, at no cost
        only_padding = ops.where(every == PADDING, 0.0, _NEVER)

        def body(place, tokens, scores, lengths, ended, cache):
            now = ops.take(tokens, place, axis=2)  # (sentence, beam)
            now = ops.reshape(now, (batch * beams,))
            if use_cache:
                logits, cache = model.step(now, memory, cache, place)
            else:
                so_far = ops.reshape(tokens[:, :, :length], (batch * beams, length))
                logits = ops.take(model((wide, so_far), training=False), place, axis=1)
            logits = ops.where(may_be_written, logits, _NEVER)
            nats = ops.reshape(ops.log_softmax(logits), (batch, beams, vocabulary))
            nats = ops.where(ended[..., None], only_padding, nats)
            sums = scores[..., None] + nats  # (sentence, beam, token)
            after = lengths + ops.cast(ops.logical_not(ended), "int32")
            judged = sums / length_penalty(after, alpha)[..., None]
            _, best = ops.top_k(ops.reshape(judged, (batch, beams * vocabulary)), beams)
            parent, token = best // vocabulary, ops.cast(best % vocabulary, "int32")
            scores = ops.take_along_axis(ops.reshape(sums, (batch, -1)), best, axis=1)
            lengths = ops.take_along_axis(after, parent, axis=1)
            ended = ops.logical_or(ops.take_along_axis(ended, parent, axis=1), token == end)
            if beams > 1:
                tokens = ops.take_along_axis(tokens, parent[..., None], axis=1)
                if use_cache:
                    cache = model.select(cache, ops.reshape(offsets + parent, (batch * beams,)))
            tokens = ops.slice_update(tokens, (0, 0, place + 1), token[..., None])
            return place + 1, tokens, scores, lengths, ended, cache

        tokens = ops.zeros((batch, beams, length + 1), "int32")
        tokens = ops.slice_update(tokens, (0, 0, 0), ops.full((batch, beams, 1), start, "int32"))
        # all beams of a sentence begin alike, so only the first may be continued
        scores = ops.where(ops.arange(beams) == 0, 0.0, _NEVER) + ops.zeros((batch, 1))
        state = (
            ops.convert_to_tensor(0, "int32"),
            tokens,
            scores,
            ops.zeros((batch, beams), "int32"),
            ops.zeros((batch, beams), "bool"),
            model.empty_cache(memory, length) if use_cache else ops.zeros(()),
        )

        def going_on(place, tokens, scores, lengths, ended, cache):
            return ops.logical_and(place < length, ops.logical_not(ops.all(ended)))

        best = ops.while_loop(going_on, body, state)[1][:, 0, 1:]  # beams are sorted
        return ops.where(best == end, PADDING, best)

    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        search = tf.function(search, jit_compile=jit_compile, autograph=False)
    made[settings] = search
    return search


_searchers: "weakref.WeakKeyDictionary[keras.Model, dict]" = weakref.WeakKeyDictionary()
