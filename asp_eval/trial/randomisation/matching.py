"""The pairs with the smallest total distance: a perfect matching of least weight.

Of several such matchings, the one that comes first: the smallest partner for the first institution, then for the next one
without a partner, and so on. So there is one answer only, whatever algorithm finds it. Distances are whole numbers of any
size, and no rounding takes place.

The algorithm is Edmonds' (1965, J Res Natl Bur Stand 69B:125) in its primal-dual form, O(m^3) (Galil 1986, ACM Comput Surv
18:23). Every vertex has a dual value; edges whose ends add up to their weight are tight; trees of tight edges grow from the
unmatched vertices until two of them meet and the path between them is turned. A cycle of odd length that closes on the
way is shrunk to one vertex, a *blossom*, and opened again when its own dual value has fallen to zero.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

FREE, OUTER, INNER = -1, 0, 1  # not in a tree; at an even distance from its root; at an odd one
Edge = tuple[int, int]


def closest_pairs(distances: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Return the pairs whose distances have the smallest sum, each smaller position first, in order.

    Parameters
    ----------
    distances : sequence of sequences of int, (m, m)
        Symmetric, 0 or more; m is even.

    Examples
    --------
    >>> closest_pairs([[0, 1, 5, 9], [1, 0, 1, 6], [5, 1, 0, 3], [9, 6, 3, 0]])
    [(0, 1), (2, 3)]
    """
    m = len(distances)
    base = m + 2  # a partner earlier in the list weighs more than all later partners together
    costs = [[distances[i][j] * base ** (m + 1) + max(i, j) * base ** (m - min(i, j)) for j in range(m)] for i in range(m)]
    dear = 1 + (m // 2 + 1) * max((max(row) for row in costs), default=0)  # so that nobody is left without a partner
    mates = _HeaviestMatching([[dear - cost for cost in row] for row in costs]).mates()
    return [(i, mate) for i, mate in enumerate(mates) if i < mate]


class _HeaviestMatching:
    """The search. Vertices are 1..m, blossoms m+1..; 0 is none. All state belongs to one search and leaves it never.

    Attributes
    ----------
    weight : of vertices
    edge : for vertices and blossoms, the tight-most edge (u, v) of vertices between them; (0, 0) is none
    dual : of vertices and blossoms
    mate : vertex at the far end of the matched edge
    slack : the outer vertex with the least slack to a vertex or blossom
    top : the outermost blossom that holds a vertex or blossom; itself if none
    parent : vertex above in the tree
    via : for a blossom and a vertex in it, the child of the blossom that holds the vertex
    children : of a blossom, in the order of its cycle, its base first
    """

    def __init__(self, weights: Sequence[Sequence[int]]) -> None:
        m = self.m = len(weights)
        size = m + m // 2 + 2
        self.weight = [[0] * (m + 1), *([0, *row] for row in weights)]
        self.edge: list[list[Edge]] = [[(0, 0)] * size for _ in range(size)]
        for u in range(1, m + 1):
            for v in range(1, m + 1):
                self.edge[u][v] = (u, v)
        self.dual = [max(map(max, self.weight), default=0) if 0 < x <= m else 0 for x in range(size)]
        self.mate, self.slack, self.parent = [0] * size, [0] * size, [0] * size
        self.top = [x if x <= m else 0 for x in range(size)]
        self.label, self.seen = [FREE] * size, [0] * size
        self.via = [[x if x == u else 0 for u in range(m + 1)] for x in range(size)]
        self.children: list[list[int]] = [[] for _ in range(size)]
        self.used, self.rounds = m, 0
        self.queue: deque[int] = deque()

    def mates(self) -> list[int]:
        """Return the partner of each vertex, counted from 0; -1 if it has none."""
        while self._augmented():
            pass
        return [self.mate[u] - 1 for u in range(1, self.m + 1)]

    def _left(self, edge: Edge) -> int:
        """Return by how much an edge falls short of being tight."""
        u, v = edge
        return self.dual[u] + self.dual[v] - 2 * self.weight[u][v]

    def _tops(self) -> list[int]:
        return [x for x in range(1, self.used + 1) if self.top[x] == x]

    def _note_slack(self, u: int, x: int) -> None:
        if not self.slack[x] or self._left(self.edge[u][x]) < self._left(self.edge[self.slack[x]][x]):
            self.slack[x] = u

    def _find_slack(self, x: int) -> None:
        self.slack[x] = 0
        for u in range(1, self.m + 1):
            if self.edge[u][x] != (0, 0) and self.top[u] != x and self.label[self.top[u]] == OUTER:
                self._note_slack(u, x)

    def _push(self, x: int) -> None:
        if x <= self.m:
            self.queue.append(x)
        else:
            for child in self.children[x]:
                self._push(child)

    def _set_top(self, x: int, top: int) -> None:
        self.top[x] = top
        if x > self.m:
            for child in self.children[x]:
                self._set_top(child, top)

    def _even_way(self, blossom: int, child: int) -> int:
        """Return how far a child is from the base along the cycle in the direction in which the distance is even."""
        at = self.children[blossom].index(child)
        if at % 2:
            self.children[blossom][1:] = self.children[blossom][:0:-1]
            return len(self.children[blossom]) - at
        return at

    def _match(self, x: int, y: int) -> None:
        u, self.mate[x] = self.edge[x][y]
        if x > self.m:
            child = self.via[x][u]
            at = self._even_way(x, child)
            for i in range(at):
                self._match(self.children[x][i], self.children[x][i ^ 1])
            self._match(child, y)
            self.children[x] = self.children[x][at:] + self.children[x][:at]

    def _turn(self, x: int, y: int) -> None:
        """Turn the path from x up to its root, x now being matched with y."""
        while True:
            after = self.top[self.mate[x]]
            self._match(x, y)
            if not after:
                return
            above = self.top[self.parent[after]]
            self._match(after, above)
            x, y = above, after

    def _meeting(self, x: int, y: int) -> int:
        """Return where the ways from x and y to their roots meet; 0 if the roots differ."""
        self.rounds += 1
        while x or y:
            if x:
                if self.seen[x] == self.rounds:
                    return x
                self.seen[x] = self.rounds
                x = self.top[self.mate[x]]
                if x:
                    x = self.top[self.parent[x]]
            x, y = y, x
        return 0

    def _shrink(self, x: int, base: int, y: int) -> None:
        """Make a blossom of the cycle that the edge between x and y closes."""
        blossom = next((b for b in range(self.m + 1, self.used + 1) if not self.top[b]), self.used + 1)
        self.used = max(self.used, blossom)
        self.dual[blossom], self.label[blossom], self.mate[blossom] = 0, OUTER, self.mate[base]
        self.children[blossom] = [base, *reversed(self._way(x, base)), *self._way(y, base)]
        self._set_top(blossom, blossom)
        for z in range(1, self.used + 1):
            self.edge[blossom][z] = self.edge[z][blossom] = (0, 0)
        self.via[blossom] = [0] * (self.m + 1)
        for child in self.children[blossom]:
            for z in range(1, self.used + 1):
                mine, known = self.edge[child][z], self.edge[blossom][z]
                if mine != (0, 0) and (known == (0, 0) or self._left(mine) < self._left(known)):
                    self.edge[blossom][z], self.edge[z][blossom] = mine, self.edge[z][child]
            for u in range(1, self.m + 1):
                if self.via[child][u]:
                    self.via[blossom][u] = child
        self._find_slack(blossom)

    def _way(self, x: int, base: int) -> list[int]:
        """Return the vertices from x up to below the base; the inner ones among them become outer."""
        way = []
        while x != base:
            inner = self.top[self.mate[x]]
            way += [x, inner]
            self._push(inner)
            x = self.top[self.parent[inner]]
        return way

    def _open(self, blossom: int) -> None:
        """Open an inner blossom whose dual value is zero."""
        for child in self.children[blossom]:
            self._set_top(child, child)
        entered = self.via[blossom][self.edge[blossom][self.parent[blossom]][0]]
        at = self._even_way(blossom, entered)
        cycle = self.children[blossom]
        for i in range(0, at, 2):
            inner, outer = cycle[i], cycle[i + 1]
            self.parent[inner] = self.edge[outer][inner][0]
            self.label[inner], self.label[outer] = INNER, OUTER
            self.slack[inner] = 0
            self._find_slack(outer)
            self._push(outer)
        self.label[entered], self.parent[entered] = INNER, self.parent[blossom]
        for child in cycle[at + 1 :]:
            self.label[child] = FREE
            self._find_slack(child)
        self.top[blossom] = 0

    def _take(self, edge: Edge) -> bool:
        """Follow a tight edge from an outer vertex; return whether a path was turned."""
        x, y = self.top[edge[0]], self.top[edge[1]]
        if self.label[y] == FREE:
            self.parent[y], self.label[y] = edge[0], INNER
            after = self.top[self.mate[y]]
            self.slack[y] = self.slack[after] = 0
            self.label[after] = OUTER
            self._push(after)
        elif self.label[y] == OUTER:
            base = self._meeting(x, y)
            if not base:
                self._turn(x, y)
                self._turn(y, x)
                return True
            self._shrink(x, base, y)
        return False

    def _augmented(self) -> bool:
        """Search once; return whether the matching grew by an edge."""
        self.label, self.slack = [FREE] * len(self.label), [0] * len(self.slack)
        self.queue.clear()
        for x in self._tops():
            if not self.mate[x]:
                self.parent[x], self.label[x] = 0, OUTER
                self._push(x)
        if not self.queue:
            return False
        while not self._grown():
            self._change_duals()
            self.queue.clear()
            if self._took_tight_edges():
                return True
            for x in self._tops():
                if x > self.m and self.label[x] == INNER and self.dual[x] == 0:
                    self._open(x)
        return True

    def _took_tight_edges(self) -> bool:
        """Follow the edges that a change of duals made tight; return whether a path was turned."""
        x = 0
        while x < self.used:  # blossoms come and go on the way
            x += 1
            near = self.slack[x] if self.top[x] == x else 0
            tight = near and self.top[near] != x and self._left(self.edge[near][x]) == 0
            if tight and self._take(self.edge[near][x]):
                return True
        return False

    def _grown(self) -> bool:
        """Grow the trees along tight edges; return whether a path was turned."""
        while self.queue:
            u = self.queue.popleft()
            for v in range(1, self.m + 1):
                if self.label[self.top[u]] == INNER or self.top[u] == self.top[v]:
                    continue
                if self._left((u, v)):
                    self._note_slack(u, self.top[v])
                elif self._take((u, v)):
                    return True
        return False

    def _change_duals(self) -> None:
        """Change the dual values as far as they go, which makes an edge tight or a blossom ready to open."""
        tops = self._tops()
        steps = [self.dual[x] // 2 for x in tops if x > self.m and self.label[x] == INNER]
        for x in tops:
            if self.slack[x] and self.label[x] != INNER:
                left = self._left(self.edge[self.slack[x]][x])
                steps.append(left if self.label[x] == FREE else left // 2)
        step = min(steps)
        sign = {FREE: 0, OUTER: -1, INNER: 1}
        for u in range(1, self.m + 1):
            self.dual[u] += sign[self.label[self.top[u]]] * step
        for x in tops:
            if x > self.m:
                self.dual[x] -= 2 * sign[self.label[x]] * step
