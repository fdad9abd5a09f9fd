"""The data of the book: one loader for each data set, real where possible, a stand-in elsewhere."""

from dlbook.data.artifacts import load_artifact, save_artifact
from dlbook.data.cats_vs_dogs import load_cats_vs_dogs
from dlbook.data.cifar10 import load_cifar10
from dlbook.data.cmn_eng import load_cmn_eng
from dlbook.data.cora import load_cora
from dlbook.data.daily_temperatures import load_daily_temperatures
from dlbook.data.etth1 import load_etth1
from dlbook.data.files.locate import locate, make_mirror, status
from dlbook.data.files.settings import cache_folder, mirror_folder, mode
from dlbook.data.files.types import (
    COLLECTIONS,
    DataSettingError,
    DataUnavailableError,
    get_collection,
)
from dlbook.data.fra_eng import load_fra_eng
from dlbook.data.image_folder import clean_image_folder
from dlbook.data.imdb import load_imdb
from dlbook.data.iris import load_iris
from dlbook.data.karate import load_karate_club
from dlbook.data.kinds.dataset import DataSet
from dlbook.data.kinds.graphs import clean_edges
from dlbook.data.kinds.texts import split_words
from dlbook.data.lego import draw_solids, load_lego
from dlbook.data.loading import loaded
from dlbook.data.minilm import minilm_folder
from dlbook.data.mnist import load_mnist
from dlbook.data.multi30k import load_multi30k
from dlbook.data.tang_poems import load_tang_poems
from dlbook.data.time_machine import load_time_machine
from dlbook.data.tiny_shakespeare import load_tiny_shakespeare
from dlbook.data.word_judgements import load_word_judgements

__all__ = [
    "COLLECTIONS",
    "DataSet",
    "DataSettingError",
    "DataUnavailableError",
    "cache_folder",
    "clean_edges",
    "clean_image_folder",
    "draw_solids",
    "get_collection",
    "load_artifact",
    "load_cats_vs_dogs",
    "load_cifar10",
    "load_cmn_eng",
    "load_cora",
    "load_daily_temperatures",
    "load_etth1",
    "load_fra_eng",
    "load_imdb",
    "load_iris",
    "load_karate_club",
    "load_lego",
    "load_mnist",
    "load_multi30k",
    "load_tang_poems",
    "load_time_machine",
    "load_tiny_shakespeare",
    "load_word_judgements",
    "loaded",
    "locate",
    "make_mirror",
    "minilm_folder",
    "mirror_folder",
    "mode",
    "save_artifact",
    "split_words",
    "status",
]
