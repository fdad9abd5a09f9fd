"""Word2vec of chapter 07 against gensim's: the same corpus, settings and passes, two workers.

Both sides read the most frequent 20,000 words of IMDB's reviews (or of its stand-in): vectors of
100 numbers, window 5, 5 noise words, subsampling at 1e-4, learning rate 0.025 falling to almost 0.
Gensim runs with two worker threads, on words that are strings, as it wants them. A round is one
pass over a part of the corpus: what the table calls milliseconds is the time for 1,000 words of
the corpus, those included that subsampling drops. Keras cuts its stretches within that time, and
gensim draws its windows.
"""

import numpy as np
import timing

from dlbook import data, train
from dlbook.models import word2vec
from dlbook.text import WordVocabulary

import keras  # isort: skip

SIZE, DIM, WINDOW, NOISE, THRESHOLD, RATE = 20_002, 100, 5, 5, 1e-4, 0.025
KINDS = {"skip-gram": 1, "cbow": 0}


def corpus(texts: int) -> tuple[WordVocabulary, list[np.ndarray]]:
    """A vocabulary, and encoded texts without the words that it lacks."""
    imdb = data.load_imdb()
    chosen = [text.replace("<br />", " ") for text in (*imdb.x_train, *imdb.x_test)]
    vocabulary = WordVocabulary.from_texts(chosen, SIZE)
    encoded = (vocabulary.encode(text) for text in chosen[:texts])
    return vocabulary, [numbers[numbers > 1] for numbers in encoded]


def keras_side(kind: str, texts: list[np.ndarray], num_words: int) -> timing.Side:
    """Passes of ``train.fit``; milliseconds for a thousand words."""
    stretches = word2vec.Stretches(texts, num_words, window=WINDOW, threshold=THRESHOLD)
    model = word2vec.build_word2vec(kind, num_words, DIM, window=WINDOW, num_negatives=NOISE)
    falling = keras.optimizers.schedules.PolynomialDecay(RATE, 20 * stretches.steps(), RATE / 100)
    model.compile(keras.optimizers.SGD(falling), jit_compile=True, steps_per_execution=16)
    batches = stretches.dataset()
    return lambda: timing.milliseconds(
        lambda: train.fit(model, batches, table=False), len(stretches) / 1000
    )


def gensim_side(kind: str, texts: list[np.ndarray], words: tuple[str, ...]) -> timing.Side:
    """Passes of gensim's trainer; milliseconds for a thousand words."""
    from gensim.models import Word2Vec

    sentences = [[words[number - 2] for number in text] for text in texts]
    model = Word2Vec(
        vector_size=DIM,
        window=WINDOW,
        negative=NOISE,
        sample=THRESHOLD,
        sg=KINDS[kind],
        alpha=RATE,
        min_count=1,
        workers=2,
    )
    model.build_vocab(sentences)
    return lambda: timing.milliseconds(
        lambda: model.train(sentences, total_examples=len(sentences), epochs=1),
        sum(map(len, texts)) / 1000,
    )


def table(quick: bool) -> str:
    """Measure both kinds against gensim."""
    vocabulary, texts = corpus(200 if quick else 5_000)
    rounds = timing.QUICK_ROUNDS if quick else timing.ROUNDS // 3
    rows = []
    for kind in KINDS:
        ours = keras_side(kind, texts, len(vocabulary))
        theirs = gensim_side(kind, texts, vocabulary.words)
        found = timing.compare(f"word2vec, {kind}", ours, theirs, rounds)
        settings = "32 stretches of 32 words, jit_compile=True, steps_per_execution=16"
        rows.append([f"word2vec, {kind}" + found.note, *found.cells(), settings])
    head = [
        "1,000 words",
        "Keras, ms",
        "gensim, 2 workers, ms",
        "gensim / Keras",
        "Keras's settings",
    ]
    return timing.markdown(head, rows)
