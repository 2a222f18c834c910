"""The allocations of clusters to arms that could have come: an array that states its own order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Fault

Draws = npt.NDArray[np.int8]

MOST_ENUMERATED = 20_000
"""Up to so many allocations a test goes through all of them instead of drawing some."""

NOT_AN_ARRAY = Fault(
    "INF-060",
    "allocations are a table of whole numbers: one row per draw, one column per cluster, 0 for the reference arm",
    "Give draws of shape (draws, clusters) and the clusters in the order of its columns.",
)
SAME_CLUSTER = Fault("INF-061", "a cluster stands twice among those of the allocations", "Give each cluster one column.")
CLUSTERS_NOT_DRAWN = Fault(
    "INF-062",
    "clusters of the data are not among those of the allocations: {ids}",
    "Draw the allocations for every cluster, and spell the clusters as the data do.",
)
OTHER_ARMS = Fault(
    "INF-063", "the arms of the data are not those of the allocations", "Declare the arms of both in the same words."
)


@dataclass(frozen=True, slots=True, eq=False)
class Allocations:
    """Allocations of the clusters that the lot could have given.

    Attributes
    ----------
    clusters : tuple of str, length J
        What the columns of `draws` are, in their order.
    draws : ndarray of int8, shape (draws, J)
        Position of each cluster's arm: 0 is the reference.
    enumerated : bool
        Whether the draws are every possible allocation, once each and all equally probable. Otherwise they are a
        random sample.
    arms : tuple of str
        What the positions stand for; empty where they are the order of the arms in the model.

    Raises
    ------
    Refusal
        INF-060 or INF-061 if the parts do not fit together.

    Examples
    --------
    >>> two_of_four = Allocations(("a", "b", "c", "d"), np.array([[0, 0, 1, 1], [0, 1, 0, 1], [1, 1, 0, 0]]))
    >>> two_of_four.for_clusters(["d", "a"]).tolist()
    [[1, 0], [1, 0], [0, 1]]
    """

    clusters: tuple[str, ...]
    draws: Draws
    enumerated: bool = False
    arms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        clusters, given = tuple(str(c) for c in self.clusters), np.asarray(self.draws)
        whole = given.ndim == 2 and given.size > 0 and given.shape[1] == len(clusters) and given.dtype.kind in "iub"
        if not whole or int(given.min()) < 0 or int(given.max()) > 100:
            NOT_AN_ARRAY.refuse(found=f"{given.dtype} of shape {given.shape}", expected=f"shape (draws, {len(clusters)})")
        if len(set(clusters)) < len(clusters):
            SAME_CLUSTER.refuse(found=next(c for c in clusters if clusters.count(c) > 1))
        draws = given.astype(np.int8)
        draws.setflags(write=False)
        object.__setattr__(self, "clusters", clusters)
        object.__setattr__(self, "draws", draws)

    def for_clusters(self, wanted: Sequence[object]) -> Draws:
        """Return the draws of some clusters, (draws, clusters wanted), in the order wanted.

        Raises
        ------
        Refusal
            INF-062 if one of them has no column.
        """
        place = {cluster: i for i, cluster in enumerate(self.clusters)}
        strange = [str(c) for c in wanted if str(c) not in place]
        if strange:
            CLUSTERS_NOT_DRAWN.refuse(ids=", ".join(strange[:5]), found=f"{len(strange)} of {len(wanted)}")
        return self.draws[:, [place[str(c)] for c in wanted]]

    def recoded(self, wanted: Sequence[object], levels: Sequence[object]) -> Draws:
        """Return the draws of some clusters as positions among a model's arms.

        Parameters
        ----------
        wanted : sequence
            Clusters.
        levels : sequence
            The model's arms, in its order.

        Raises
        ------
        Refusal
            INF-063 if the draws hold an arm that the model does not have.
        """
        own = self.for_clusters(wanted)
        names = [str(v) for v in levels]
        arms = self.arms or tuple(names)
        known = len(arms) > int(own.max()) and all(arm in names for arm in arms)
        if not known:
            OTHER_ARMS.refuse(found=", ".join(names), expected=", ".join(arms) or f"{int(own.max()) + 1} arms")
        return np.array([names.index(arm) for arm in arms], dtype=np.int8)[own]
