"""What the environment variables say: which data are wanted, and where they may lie."""

import os
import tempfile
from pathlib import Path

import platformdirs

from dlbook.data.files.types import DataSettingError


def mode() -> str:
    """Which data the loaders give: the value of DLBOOK_DATA.

    Returns:
        "auto" (real data where they can be had, else a stand-in; the default), "real" (an error
        instead of a stand-in) or "stand-in" (no file and no network is touched).

    Raises:
        DataSettingError: on any other value.
    """
    value = os.environ.get("DLBOOK_DATA", "").strip() or "auto"
    if value not in ("auto", "real", "stand-in"):
        raise DataSettingError(f"DLBOOK_DATA must be auto, real or stand-in, got {value!r}")
    return value


def mirror_folder() -> Path | None:
    """The folder of data files named by DLBOOK_DATA_DIR.

    Returns:
        The absolute path; ``None`` when the variable is not set. A relative path counts from the
        current folder.

    Raises:
        DataSettingError: when it does not exist or is no folder.
    """
    value = os.environ.get("DLBOOK_DATA_DIR", "").strip()
    if not value:
        return None
    folder = absolute(value)
    if not folder.is_dir():
        fault = "is a file, no folder" if folder.exists() else "does not exist"
        raise DataSettingError(
            f"DLBOOK_DATA_DIR names a folder of data files, but {folder} {fault}.\n"
            "Correct the path, or unset DLBOOK_DATA_DIR to do without a mirror folder."
        )
    return folder


def cache_folder() -> Path:
    """The folder that keeps downloads: DLBOOK_CACHE, or the user's cache folder for dlbook.

    Returns:
        The absolute path; the folder need not exist yet. Without a home folder it lies among the
        temporary files.

    Raises:
        DataSettingError: when there is a file in its place.
    """
    try:
        home = platformdirs.user_cache_dir("dlbook", appauthor=False)
    except RuntimeError:  # HOME is not set, and the user has no entry that names one
        home = os.path.join(tempfile.gettempdir(), "dlbook")
    folder = absolute(os.environ.get("DLBOOK_CACHE", "").strip() or home)
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise DataSettingError(
            f"the cache folder {folder} is a file, no folder.\n"
            "Set DLBOOK_CACHE to a folder in which dlbook may keep downloads."
        )
    return folder


def absolute(path: str | Path) -> Path:
    """The absolute form of a path, "~" expanded."""
    return Path(os.path.abspath(os.path.expanduser(path)))
