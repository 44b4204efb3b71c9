"""What stands in a manifest beside its services: release, rollout, sensors, actuators and workflows."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from contracts.manifest_service import Part
from contracts.manifest_texts import Call, Command, Kind, Label, Name, StepValue, Where
from contracts.manifest_values import Number, duration, percent, wrong
from contracts.manifest_yaml_words import quoted


class ReleaseStep(Part):
    """A one-off command before traffic moves to a new release."""

    service: Name = Field(description="The service whose image and environment it runs in.", examples=["web"])
    command: Command = Field(description="The program and its arguments.", examples=["python migrate.py"])
    within: Annotated[float, duration("1s", "1h")] = Field(
        default=60.0, description="How long it may take.", examples=["60s"]
    )


class Canary(Part):
    """A first share of the traffic (0 to 1), for some seconds."""

    share: Annotated[float, percent("1%", "99%")]
    seconds: Annotated[float, duration("1s", "24h")]


def _canary(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\s*(\S+%)\s+for\s+(\S+)\s*", value)
    if match is None:
        raise wrong(f"A canary is written like 10% for 2m, not {quoted(value)}.", "Write the share, 'for' and a time.")
    return {"share": match[1], "seconds": match[2]}


_CANARY_TEXT = {"type": "string", "pattern": r"^[0-9.]+% +for +[0-9.]+ ?(s|m|h)$"}


class Rollout(Part):
    """How a new generation takes over."""

    step: Annotated[int, Number(1, 100)] = Field(
        default=1, description="How many instances change at a time.", examples=[1]
    )
    canary: Annotated[Canary | None, BeforeValidator(_canary), WithJsonSchema(_CANARY_TEXT)] = Field(
        default=None, description="A first share of the traffic and how long it is watched.", examples=["10% for 2m"]
    )
    errors: Annotated[float, percent("0%", "100%")] | None = Field(
        default=None,
        description="The share of failed answers at which the old generation takes over again.",
        examples=["1%"],
    )


class SensorNeed(Part):
    """The sensors bound under one name."""

    kind: Kind = Field(description="What they measure; `berth kinds` lists them.", examples=["temperature"])
    where: Where = Field(description="Where they are: a place path with * and **.", examples=["hq/floor-1/**"])
    at_least: Annotated[int, Number(0, 100_000)] = Field(
        default=1, description="With fewer the app does not start.", examples=[1]
    )
    at_most: Annotated[int, Number(1, 100_000)] | None = Field(
        default=None, description="No more are bound.", examples=[50]
    )
    policy: Literal["all", "nearest", "exclusive"] = Field(
        default="all",
        description="Which of those that match: all, the nearest, or for this deployment alone.",
        examples=["all"],
    )


class ActuatorNeed(Part):
    """The actuators bound under one name."""

    kind: Kind = Field(description="What they do; `berth kinds` lists them.", examples=["heater"])
    where: Where = Field(description="Where they are: a place path with * and **.", examples=["hq/floor-1/**"])
    at_least: Annotated[int, Number(0, 100_000)] = Field(
        default=1, description="With fewer the app does not start.", examples=[1]
    )
    priority: Annotated[int, Number(0, 10)] = Field(
        default=5, description="Who wins where two apps command one actuator; the greater does.", examples=[5]
    )


class Step(Part):
    """One call of a workflow."""

    service: Name = Field(description="The service that is called.", examples=["web"])
    call: Call = Field(description="Method and path.", examples=["POST /measure"])
    arguments: dict[str, Any] = Field(
        default={},
        alias="with",
        description="The JSON sent; $inputs.<name> and $<step>.<field> are put in.",
        examples=[{"room": "$inputs.room"}],
    )
    retries: Annotated[int, Number(0, 10)] = Field(
        default=0, description="Further tries after a failure.", examples=[2]
    )
    timeout: Annotated[float, duration("100ms", "1h")] = Field(
        default=30.0, description="How long a try may take.", examples=["10s"]
    )


class Workflow(Part):
    """A directed acyclic graph of calls; a step runs once all it refers to are done."""

    inputs: dict[Label, Literal["string", "number", "integer", "boolean", "object", "array"]] = Field(
        default={}, max_length=50, description="What a run is given, with its type.", examples=[{"room": "string"}]
    )
    steps: dict[Label, Step] = Field(
        min_length=1,
        max_length=100,
        description="The calls, by name.",
        examples=[{"measure": {"service": "web", "call": "POST /measure"}}],
    )
    outputs: dict[Label, StepValue] = Field(
        default={}, max_length=50, description="What a run gives.", examples=[{"level": "$decide.level"}]
    )
