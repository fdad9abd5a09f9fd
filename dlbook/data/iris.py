"""Fisher's iris flowers, which scikit-learn ships."""

import numpy as np

from dlbook.data.kinds.tables import TableData
from dlbook.data.loading import remember


def load_iris() -> TableData:
    """Loads the measurements of 150 iris flowers of three species.

    The numbers are those of Fisher's paper, as in R. The file in the UCI repository has errors in
    two rows, the 35th and the 38th (scikit-learn's documentation; its own copy has them right).
    scikit-learn ships the data, so they are real whatever DLBOOK_DATA says.

    Returns:
        150 rows (float32, centimetres), 50 of each class, sorted by class.
    """
    from sklearn import datasets

    iris = datasets.load_iris()
    return remember(
        TableData(
            name="iris",
            title="Iris flowers",
            source="scikit-learn",
            licence="shipped with scikit-learn (BSD-3-Clause)",
            citation=(
                "R. A. Fisher: The use of multiple measurements in taxonomic problems. "
                "Annals of Eugenics 7(2), 1936"
            ),
            x=iris.data.astype(np.float32),
            y=iris.target.astype(np.int32),
            feature_names=tuple(iris.feature_names),
            class_names=tuple(str(name) for name in iris.target_names),
        )
    )
