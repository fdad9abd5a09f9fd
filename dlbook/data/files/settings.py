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
    folder = folder_at(value, "DLBOOK_DATA_DIR")
    if not os.path.exists(folder):
        hint = "correct the path, or unset it to do without a mirror folder"
        raise DataSettingError(f"DLBOOK_DATA_DIR: {folder} does not exist; {hint}")
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
    return folder_at(os.environ.get("DLBOOK_CACHE", "").strip() or home, "DLBOOK_CACHE")


def folder_at(path: str | Path, setting: str) -> Path:
    """The absolute form of a path, "~" expanded; an error where there is a file in its place."""
    folder = os.path.abspath(os.path.expanduser(path))
    if os.path.exists(folder) and not os.path.isdir(folder):
        raise DataSettingError(f"{setting}: {folder} is a file, no folder")
    return Path(folder)
