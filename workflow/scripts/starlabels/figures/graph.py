"""A directed graph from Graphviz text, and a layered drawing of it (Sugiyama et al. 1981): plain Python and numpy."""

import os
import re
from pathlib import Path

import numpy as np

from ..errors import InputError

NODE = re.compile(r'^\s*(\w+)\s*\[.*?label\s*=\s*"([^"]*)"')
EDGE = re.compile(r"^\s*(\w+)\s*->\s*(\w+)")
SWEEPS = 24
Edge, Point = tuple[str, str], tuple[float, int]


def read_dot(path: str | os.PathLike) -> tuple[list[str], list[Edge]]:
    """Node labels and edges (from, to) of a graph as `snakemake --rulegraph dot` prints it.

    Raises
    ------
    InputError
        When the file is missing or holds no node, or an edge names an unknown node.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(path, "does not exist", "Run the stage that makes it")
    labels, pairs = {}, []
    for line in path.read_text().splitlines():
        if edge := EDGE.match(line):
            pairs.append(edge.groups())
        elif node := NODE.match(line):
            labels[node[1]] = node[2].split("\\n")[0]
    if not labels:
        raise InputError(path, "holds no node", "Write it with `snakemake --rulegraph dot`")
    unknown = [name for pair in pairs for name in pair if name not in labels]
    if unknown:
        raise InputError(path, f"has an edge to the unknown node {unknown[0]}", "Write it with `snakemake --rulegraph dot`")
    return list(dict.fromkeys(labels.values())), list(dict.fromkeys((labels[a], labels[b]) for a, b in pairs))


def without(nodes: list[str], edges: list[Edge], drop: set[str]) -> tuple[list[str], list[Edge]]:
    """The graph without the nodes in `drop` and their edges."""
    return [n for n in nodes if n not in drop], [(a, b) for a, b in edges if a not in drop and b not in drop]


def reduced(edges: list[Edge]) -> list[Edge]:
    """Edges of an acyclic graph that are not implied by a longer way (its transitive reduction)."""
    after: dict[str, set[str]] = {}
    for a, b in edges:
        after.setdefault(a, set()).add(b)

    def reaches(start: str, goal: str) -> bool:
        todo, seen = list(after.get(start, ())), set()
        while todo:
            node = todo.pop()
            if node == goal:
                return True
            if node not in seen:
                seen.add(node)
                todo.extend(after.get(node, ()))
        return False

    return [(a, b) for a, b in edges if not any(c != b and reaches(c, b) for c in sorted(after[a]))]


def layers(nodes: list[str], edges: list[Edge]) -> dict[str, int]:
    """Layer of each node: one below the lowest of those it depends on; then as close to its users as it can be.

    Raises
    ------
    InputError
        When the graph has a cycle.
    """
    depth = dict.fromkeys(nodes, 0)
    for _ in range(len(nodes) + 1):
        changed = False
        for a, b in edges:
            if depth[b] < depth[a] + 1:
                depth[b], changed = depth[a] + 1, True
        if not changed:
            break
    else:
        raise InputError("rule graph", "has a cycle", "Write it with `snakemake --rulegraph dot`")
    for node in sorted(nodes, key=lambda n: -depth[n]):
        users = [depth[b] for a, b in edges if a == node]
        if users:
            depth[node] = min(users) - 1
    return depth


def arrange(nodes: list[str], edges: list[Edge], crowded: int = 6) -> tuple[dict[str, Point], dict[Edge, list[Point]]]:
    """Positions of nodes and routes of edges.

    Nodes of a layer are ordered by the mean position of their neighbours (barycentre), in sweeps down and up; the order
    with the fewest crossings is kept. Long edges get a bend point in every layer between. In a layer of more than
    `crowded` nodes these stand closer, as they can be drawn in two rows.

    Returns
    -------
    positions : {node: (x, layer)}
        x between 0 and 1.
    routes : {(from, to): [(x, layer), ...]}
        From the first node to the last, bends included.
    """
    depth = layers(nodes, edges)
    chains, ranks = {}, [[] for _ in range(max(depth.values(), default=0) + 1)]
    for node in nodes:
        ranks[depth[node]].append(node)
    for a, b in edges:
        bends = [(a, b, level) for level in range(depth[a] + 1, depth[b])]
        for bend in bends:
            ranks[bend[2]].append(bend)
        chains[a, b] = [a, *bends, b]
    links = [(p, q) for chain in chains.values() for p, q in zip(chain[:-1], chain[1:], strict=True)]
    ranks = _ordered(ranks, links)
    width = {key: 0.3 for rank in ranks for key in rank}                            # of a bend
    for rank in ranks:
        own = [key for key in rank if isinstance(key, str)]
        width |= dict.fromkeys(own, 0.5 if len(own) > crowded else 1.4)
    x = _spread(ranks, links, width)
    at = {key: (x[key], level) for level, rank in enumerate(ranks) for key in rank}
    return {n: at[n] for n in nodes}, {pair: [at[key] for key in chain] for pair, chain in chains.items()}


def crossings(ranks: list[list], links: list[tuple]) -> int:
    """Number of pairs of links that cross."""
    place = {key: i for rank in ranks for i, key in enumerate(rank)}
    level = {key: k for k, rank in enumerate(ranks) for key in rank}
    total = 0
    for k in range(len(ranks) - 1):
        ends = [(place[p], place[q]) for p, q in links if level[p] == k]
        total += sum((a[0] - b[0]) * (a[1] - b[1]) < 0 for i, a in enumerate(ends) for b in ends[:i])
    return total


def _neighbours(links: list[tuple]) -> tuple[dict, dict]:
    above, below = {}, {}
    for p, q in links:
        above.setdefault(q, []).append(p)
        below.setdefault(p, []).append(q)
    return above, below


def _ordered(ranks: list[list], links: list[tuple]) -> list[list]:
    above, below = _neighbours(links)
    best, fewest = [list(r) for r in ranks], crossings(ranks, links)
    current = [list(r) for r in ranks]
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for level in range(1, len(current)) if down else range(len(current) - 2, -1, -1):
            fixed = {key: (i + 0.5) / len(current[level - 1 if down else level + 1])
                     for i, key in enumerate(current[level - 1 if down else level + 1])}
            own = {key: (i + 0.5) / len(current[level]) for i, key in enumerate(current[level])}
            side = above if down else below
            current[level].sort(key=lambda key: np.mean([fixed[n] for n in side[key]]) if key in side else own[key])
        found = crossings(current, links)
        if found < fewest:
            best, fewest = [list(r) for r in current], found
    return best


def _spread(ranks: list[list], links: list[tuple], width: dict) -> dict:
    """x of every key: pulled to the mean of its neighbours, neighbours in a layer kept apart (bends may stand closer)."""
    above, below = _neighbours(links)
    widest = max(sum(width[k] for k in rank) for rank in ranks)
    x = {}
    for rank in ranks:
        position = 0.5 - 0.5 * sum(width[k] for k in rank) / widest
        for key in rank:
            x[key] = position + 0.5 * width[key] / widest
            position += width[key] / widest
    for sweep in range(60):
        for rank in ranks if sweep % 2 == 0 else ranks[::-1]:
            near = [[x[n] for n in (*above.get(key, ()), *below.get(key, ()))] or [x[key]] for key in rank]
            for key, value in zip(rank, _apart([width[key] / widest for key in rank], [float(np.mean(v)) for v in near]), strict=True):
                x[key] = value
    return x


def _apart(widths: list[float], wanted: list[float]) -> list[float]:
    """Nearest positions to `wanted` that keep order and distance inside [0, 1] (pool adjacent violators)."""
    gaps = np.array([0.5 * (a + b) for a, b in zip(widths[:-1], widths[1:], strict=True)])
    offset = np.concatenate([[0.0], np.cumsum(gaps)])
    blocks: list[list[float]] = []
    for value in np.array(wanted) - offset:
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (v1, n1), (v2, n2) = blocks[-2:]
            blocks[-2:] = [[(v1 * n1 + v2 * n2) / (n1 + n2), n1 + n2]]
    flat = np.concatenate([[v] * int(n) for v, n in blocks])
    low, high = 0.5 * widths[0], 1 - 0.5 * widths[-1] - offset[-1]
    return list(np.clip(flat, low, max(low, high)) + offset)
