"""What the rules between keys share: what they are held against, what they find, and circles in a graph."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.manifest_words import corrected, listed, nearest
from contracts.manifest_yaml import Found, Path
from contracts.manifest_yaml_words import quoted


@dataclass(frozen=True)
class Given:
    """What the manifest is held against: the zip's files, the workspace's kinds (None: not known), the runtimes."""

    files: Collection[str] | None = None
    kinds: Collection[str] | None = None
    runtimes: Collection[str] = ("python",)


def keys(value: Any, *path: str) -> dict[str, Any]:
    """The mapping at a path of the mapping, or an empty one."""
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def unknown_service(name: Any, path: Path, services: Mapping[str, Any]) -> Iterator[Found]:
    if isinstance(name, str) and services and name not in services:
        meant = nearest(name, services)
        yield Found(
            path,
            name,
            f"No service is called {quoted(name)}.",
            corrected(path, meant) if meant else f"Choose from: {listed(services)}.",
        )


def twice(values: Any, path: Path) -> Iterator[Found]:
    seen: set[str] = set()
    for index, value in enumerate(values if isinstance(values, list) else []):
        if str(value) in seen:
            yield Found((*path, index), value, f"{quoted(value)} stands twice in '{path[-1]}'.", "Keep one of the two.")
        seen.add(str(value))


def circles(graph: Mapping[str, Collection[str]]) -> Iterator[tuple[str, list[str]]]:
    """Each circle of the graph once: where it was met, and the way round."""
    done: set[str] = set()
    for start in graph:
        way: list[str] = []
        stack = [(start, iter(graph[start]))] if start not in done else []
        way += [start] if stack else []
        while stack:
            name, rest = stack[-1]
            following = next(rest, None)
            if following is None:
                stack.pop()
                way.pop()
                done.add(name)
            elif following in way:
                yield name, [*way[way.index(following) :], following]
            elif following not in done:
                way.append(following)
                stack.append((following, iter(graph.get(following, ()))))
