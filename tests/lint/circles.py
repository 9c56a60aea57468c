# SPDX-License-Identifier: LGPL-2.1-or-later
"""Circles in a graph, as ways that people can follow. It knows nothing of files."""

import collections


def _way_back(edges, start):
    """The shortest way from @start to itself, or None."""
    before, todo = {}, collections.deque([start])
    while todo:
        here = todo.popleft()
        for there in sorted(edges.get(here, ())):
            if there == start:
                way = [here]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return way[::-1]
            if there not in before:
                before[there] = here
                todo.append(there)
    return None


def find(edges):
    """The circles of {node: {node: why}}, each as its nodes in order; for every node that is in a
    circle the shortest that it is in. A node's edge to itself is none."""
    edges = {node: {other: why for other, why in others.items() if other != node} for node, others in edges.items()}
    found = {}
    for start in sorted(edges):
        way = _way_back(edges, start)
        if way:
            found.setdefault(frozenset(way), way)
    return list(found.values())


def told(edges, way):
    """One circle in words: a → b (why) → a (why)."""
    steps = zip(way, way[1:] + way[:1])
    return way[0] + "".join(f" → {there} ({edges[here][there]})" for here, there in steps)
