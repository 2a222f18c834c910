"""The pairs with the smallest total distance: a perfect matching of least weight.

Of several such matchings, the one that comes first: the smallest partner for the first institution, then for the next one
without a partner, and so on. So there is one answer only, whatever algorithm finds it. Distances are whole numbers of any
size, and no rounding takes place.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations


def closest_pairs(distances: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Return the pairs whose distances have the smallest sum, each smaller position first, in order.

    The matching is that of networkx (Edmonds 1965, J Res Natl Bur Stand 69B:125; Galil 1986, ACM Comput Surv 18:23), which
    computes in whole numbers if all weights are whole. The weight of a pair i < j is d_ij b^(m + 1) + j b^(m - i) with
    b = m + 2: the sum of the second terms has the partners of 0, 1, ... as its digits and is less than b^(m + 1), so it decides
    between matchings of equal distance alone, and then as the order of partners does.

    Parameters
    ----------
    distances : sequence of sequences of int, (m, m)
        Symmetric, 0 or more; m is even.

    Examples
    --------
    >>> closest_pairs([[0, 1, 5, 9], [1, 0, 1, 6], [5, 1, 0, 3], [9, 6, 3, 0]])
    [(0, 1), (2, 3)]
    """
    from networkx import Graph, min_weight_matching

    m = len(distances)
    base = m + 2
    graph = Graph()
    for i, j in combinations(range(m), 2):
        graph.add_edge(i, j, weight=int(distances[i][j]) * base ** (m + 1) + j * base ** (m - i))
    return sorted((min(pair), max(pair)) for pair in min_weight_matching(graph))
