"""The data of the book: one loader for each data set, real where possible, a stand-in elsewhere."""

from dlbook.data.cora import load_cora
from dlbook.data.dataset import DataSet, ImageData, TableData
from dlbook.data.errors import DataSettingError, DataUnavailableError
from dlbook.data.folders import MirroredFile, make_mirror, verify
from dlbook.data.graphs import GraphData, clean_edges
from dlbook.data.imdb import load_imdb
from dlbook.data.iris import load_iris
from dlbook.data.karate import load_karate_club
from dlbook.data.literature import load_tang_poems, load_tiny_shakespeare
from dlbook.data.loading import loaded
from dlbook.data.mnist import load_mnist
from dlbook.data.registry import COLLECTIONS, Collection, RemoteFile, get_collection
from dlbook.data.settings import Mode, cache_folder, mirror_folder, mode
from dlbook.data.sources import FileStatus, Located, locate, status
from dlbook.data.texts import Poem, PoemData, TextClassificationData, TextData, split_words

__all__ = [
    "COLLECTIONS",
    "Collection",
    "DataSet",
    "DataSettingError",
    "DataUnavailableError",
    "FileStatus",
    "GraphData",
    "ImageData",
    "Located",
    "MirroredFile",
    "Mode",
    "Poem",
    "PoemData",
    "RemoteFile",
    "TableData",
    "TextClassificationData",
    "TextData",
    "cache_folder",
    "clean_edges",
    "get_collection",
    "load_cora",
    "load_imdb",
    "load_iris",
    "load_karate_club",
    "load_mnist",
    "load_tang_poems",
    "load_tiny_shakespeare",
    "loaded",
    "locate",
    "make_mirror",
    "mirror_folder",
    "mode",
    "split_words",
    "status",
    "verify",
]
