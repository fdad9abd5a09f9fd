"""Real data or a stand-in: the one place where a loader's answer is decided."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from dlbook.data.files import settings
from dlbook.data.files.locate import locate
from dlbook.data.files.types import Collection, DataUnavailableError, get_collection
from dlbook.data.kinds.dataset import STAND_IN, DataSet

AnyDataSet = TypeVar("AnyDataSet", bound=DataSet)

_loaded: dict[str, str] = {}


def loaded() -> dict[str, str]:
    """The data sets that were loaded in this process.

    Returns:
        Name -> source, in the order of loading. A set that was loaded twice has its last source.
    """
    return dict(_loaded)


def remember(data: AnyDataSet) -> AnyDataSet:
    """Notes that a data set was loaded, and passes it on."""
    _loaded[data.name] = data.source
    return data


def load(
    collection: str | Collection,
    kind: Callable[..., AnyDataSet],
    read: Callable[[dict[str, Path]], dict[str, Any]],
    **common: Any,
) -> AnyDataSet:
    """Loads a data set as DLBOOK_DATA wants it.

    The stand-in is the module of this name in ``dlbook.data.stand_ins``, with "_" for "-". It has
    LICENCE, CITATION and NOTE, and ``make()`` gives the same fields as ``read``.

    Args:
        collection: its name in the registry, or a collection that is in no registry: the same
            data in other files, which some mirror folder has.
        kind: the class of the data set.
        read: verified files (path in the collection -> where it lies) -> fields of ``kind``.
        common: further fields, the same for the real data and for the stand-in.

    Returns:
        The real data; in stand-in mode, or in auto mode when the files cannot be had, the
        stand-in, whose notes give the reason.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong setting in the environment.
    """
    if isinstance(collection, str):
        collection = get_collection(collection)
    name = collection.name
    try:
        located = locate(collection)
    except DataUnavailableError as error:
        if settings.mode() == "real":
            raise
        made = import_module(f"dlbook.data.stand_ins.{name.replace('-', '_')}")
        origin = (STAND_IN, made.LICENCE, made.CITATION, (error.summary, made.NOTE))
        fields = common | made.make()
    else:
        origin = (located.source, collection.licence, collection.citation, located.notes)
        fields = read(located.paths) | common
    fields |= zip(("source", "licence", "citation", "notes"), origin, strict=True)
    return remember(kind(name=name, title=collection.title, **fields))
