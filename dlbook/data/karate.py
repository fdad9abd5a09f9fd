"""Zachary's karate club, which networkx ships."""

import numpy as np

from dlbook.data.kinds.graphs import GraphData, clean_edges
from dlbook.data.loading import remember


def load_karate_club() -> GraphData:
    """Loads the friendships in a karate club of 34 members that split into two.

    Zachary watched the club from 1970 to 1972. The instructor, "Mr. Hi", and the administrator,
    "Officer", fell out, and every member went with one of them. networkx ships the data, so they
    are real whatever DLBOOK_DATA says. How often two members met is left out.

    Returns:
        34 nodes, each with a feature of its own (the unit matrix), 78 edges, the two sides as
        classes. Train on nodes 0 and 33, the two leaders; test on the other 32. There are no
        nodes for validation.
    """
    import networkx

    club = networkx.karate_club_graph()
    sides = ("Mr. Hi", "Officer")
    labels = [sides.index(club.nodes[member]["club"]) for member in range(34)]
    return remember(
        GraphData(
            name="karate",
            title="Zachary's karate club",
            source="networkx",
            licence="shipped with networkx (BSD-3-Clause)",
            citation=(
                "W. W. Zachary: An information flow model for conflict and fission in small "
                "groups. Journal of Anthropological Research 33(4), 1977"
            ),
            features=np.eye(34, dtype=np.float32),
            edges=clean_edges(np.array(club.edges), 34),
            labels=np.array(labels, np.int32),
            class_names=sides,
            train=np.array([0, 33]),
            validation=np.array([], np.int64),
            test=np.arange(1, 33),
        )
    )
