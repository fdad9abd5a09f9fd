"""Small arrays that one chapter makes and others load: word vectors, the feature net that judges.

They lie in ``artifact_files/<chapter>/<name>.npz`` as float16 arrays, with the sha256 of each file
in ``artifact_files/sha256.json``, and belong to the repository.
"""

import hashlib
import io
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from dlbook.data.kinds.dataset import STAND_IN
from dlbook.data.loading import loaded

FOLDER = Path(__file__).parent / "artifact_files"
LARGEST = 2_000_000  # bytes of one file


def load_artifact(name: str) -> dict[str, np.ndarray]:
    """Loads what another chapter made on the real data.

    Args:
        name: the chapter and the artefact, as "03_cnn/features".

    Returns:
        The arrays by name, float32.

    Raises:
        ValueError: when there is no such artefact (the message lists those that exist), or when
            its file is damaged.
    """
    known = _hashes()
    if name not in known:
        names = ", ".join(sorted(known)) or "none yet"
        raise ValueError(f"no artefact is called {name!r}; there are: {names}")
    path = FOLDER / f"{name}.npz"
    content = path.read_bytes() if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != known[name]:
        fault = "is damaged (wrong sha256)" if content else "is missing"
        raise ValueError(
            f"the file of the artefact {name!r} {fault}: {path}\n"
            "Get it again from the repository: git checkout -- dlbook/data/artifact_files"
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {key: file[key].astype(np.float32) for key in file.files}


def save_artifact(name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Keeps arrays for other chapters, as float16.

    Only ``dlbook run --store`` in its run on the real data writes (it sets DLBOOK_STORE=1);
    everywhere else this does nothing.

    Args:
        name: this chapter and a word for what it is, as "03_cnn/features".
        arrays: numbers by name; at most 2 MB as float16, compressed.

    Raises:
        ValueError: when the name is of another form, a value is not finite or too large for
            float16 (over 65,504), or the file would be over 2 MB.
    """
    if os.environ.get("DLBOOK_STORE") != "1" or STAND_IN in loaded().values():
        return
    if not re.fullmatch(r"\w+/\w+", name):
        raise ValueError(f"name must be <chapter>/<artefact>, as '03_cnn/features', got {name!r}")
    halves = {}
    for key, array in arrays.items():
        with np.errstate(over="ignore"):
            halves[key] = np.asarray(array).astype(np.float16)
        if not np.isfinite(halves[key]).all():
            raise ValueError(f"{name}: {key} has values that float16 cannot hold, or NaN")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **halves)
    content = buffer.getvalue()
    if len(content) > LARGEST:
        raise ValueError(f"{name} would take {len(content):,} bytes, over {LARGEST:,}")
    path = FOLDER / f"{name}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    hashes = _hashes() | {name: hashlib.sha256(content).hexdigest()}
    path.write_bytes(content)
    listed = json.dumps(hashes, indent=1, sort_keys=True)
    (FOLDER / "sha256.json").write_text(listed + "\n", encoding="utf-8")


def _hashes() -> dict[str, str]:
    path = FOLDER / "sha256.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
