"""Real data or a stand-in: the one place where a loader's answer is decided."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dlbook.data.files import settings
from dlbook.data.files.errors import DataUnavailableError
from dlbook.data.files.locate import Located, locate
from dlbook.data.kinds.dataset import DataSet

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
    name: str,
    read: Callable[[Located], AnyDataSet],
    stand_in: Callable[[tuple[str, ...]], AnyDataSet],
) -> AnyDataSet:
    """Loads a data set as DLBOOK_DATA wants it.

    Args:
        name: the collection in the registry.
        read: makes the data set from its verified files.
        stand_in: makes the stand-in; takes notes to add to its own.

    Returns:
        The real data; in stand-in mode, or in auto mode when the files cannot be had, the
        stand-in, whose notes give the reason.

    Raises:
        DataUnavailableError: in real mode, when the files cannot be had.
        DataSettingError: on a wrong setting in the environment.
    """
    mode = settings.mode()
    if mode == "stand-in":
        return remember(stand_in(("DLBOOK_DATA=stand-in asks for stand-in data.",)))
    try:
        located = locate(name)
    except DataUnavailableError as error:
        if mode == "real":
            raise
        return remember(stand_in((error.summary,)))
    return remember(read(located))
