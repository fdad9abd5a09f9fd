"""dlbook: a Keras/TensorFlow workbook, one notebook per deep-learning model.

What a chapter imports from here: ``setup`` prepares the session, ``check`` holds a claim against
what was computed, ``show`` prints the tested source of a model builder. Data loaders, models,
training and figures are in ``dlbook.data``, ``dlbook.models``, ``dlbook.train`` and
``dlbook.plot``.

Importing dlbook is quick: TensorFlow is first loaded by ``setup()``, ``dlbook.train`` or
``dlbook.models``. Import dlbook before Keras, so that TensorFlow starts without its log lines.
"""

from importlib.metadata import PackageNotFoundError, version

from dlbook.checks import CheckError, check
from dlbook.runtime import report, setup
from dlbook.source import show

try:
    __version__ = version("dlbook")
except PackageNotFoundError:  # a source tree on sys.path that was never installed
    __version__ = "0+unknown"

__all__ = ["CheckError", "__version__", "check", "report", "setup", "show"]
