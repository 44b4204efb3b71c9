"""The rules of workflows: steps call services that listen, refer to what is there, and form no circle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contracts.manifest_found import circles, keys, unknown_service
from contracts.manifest_texts import STEP_VALUE
from contracts.manifest_words import listed, nearest, written_as
from contracts.manifest_yaml import Found, Path
from contracts.manifest_yaml_words import quoted


def flows(written: Any) -> Iterator[Found]:
    """Every broken rule of the workflows."""
    services = keys(written, "services")
    for name in keys(written, "workflows"):
        flow, path = keys(written, "workflows", name), ("workflows", name)
        steps = keys(flow, "steps")
        graph: dict[str, list[str]] = {}
        for step in steps:
            yield from _step(keys(steps, step), (*path, "steps", step), services)
            graph[step] = []
            for here, text in texts(keys(steps, step).get("with"), (*path, "steps", step, "with")):
                yield from _reference(here, text, flow)
                if text.startswith("$") and source(text) in steps:
                    graph[step].append(source(text))
        for step, circle in circles(graph):
            yield Found(
                (*path, "steps", step),
                None,
                f"These steps wait for each other: {' needs '.join(circle)}.",
                "Remove one of the references.",
            )
        for here, text in texts(flow.get("outputs"), (*path, "outputs")):
            if re.fullmatch(STEP_VALUE, named := "$" + text.lstrip("$")):
                yield from _reference(here, named, flow)


def source(text: str) -> str:
    """The step that a reference like $measure.mean takes from; 'inputs' for the run's own."""
    return text[1:].split(".")[0]


def texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Each text within a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts(inner, (*path, index))


def _step(step: dict[str, Any], path: Path, services: dict[str, Any]) -> Iterator[Found]:
    name = step.get("service")
    yield from unknown_service(name, (*path, "service"), services)
    if path[-1] == "inputs":
        yield Found(
            path, "inputs", "No step is called 'inputs': $inputs is what a run is given.", "Give it another name."
        )
    if isinstance(name, str) and name in services and "port" not in keys(services, name):
        yield Found(
            (*path, "service"),
            name,
            f"A step calls a service that has a port, and {quoted(name)} names none.",
            f"Add 'port: 8000' to services.{name}.",
        )


def _reference(path: Path, text: str, flow: dict[str, Any]) -> Iterator[Found]:
    if not text.startswith("$") or text.startswith("$$"):
        return
    if not re.fullmatch(STEP_VALUE, text):
        yield Found(
            path,
            text,
            f"A reference is written like $inputs.room or $measure.mean, not {quoted(text)}.",
            "A text that begins with $ is written with $$.",
        )
        return
    name, _, rest = text[1:].partition(".")
    steps, inputs = keys(flow, "steps"), keys(flow, "inputs")
    if name == "inputs":
        field = rest.split(".")[0]
        if field and field not in inputs:
            yield _unknown(path, text, "input", field, inputs)
    elif name not in steps:
        yield _unknown(path, text, "step", name, steps)


def _unknown(path: Path, text: str, noun: str, name: str, known: dict[str, Any]) -> Found:
    meant = nearest(name, known)
    fixed = text.replace(name, meant, 1) if meant else ""
    hint = (
        f"{path[-1]}: {written_as(fixed)}" if meant and isinstance(path[-1], str) else f"Choose from: {listed(known)}."
    )
    return Found(path, text, f"No {noun} is called {quoted(name)}.", hint if known else "This workflow has none.")
