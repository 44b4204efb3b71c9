"""Follows a deployment's generation to its end, a line for each state, and tells in the end what is true."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from cli import show
from cli.failure import Failure
from cli.releases import last_lines
from cli.session import Platform
from contracts.states import Rollout

BUILDS = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)\S* \w+ (.*)")


def end_of(platform: Platform, asked: dict[str, Any], quiet: bool) -> dict[str, Any]:
    """The deployment when the generation asked for runs, has ended, or has been overtaken by a newer wish."""
    generation, shown = asked["wanted"]["generation"], 0
    with show.console(error=True).status(asked["name"], spinner="dots") as status:
        if quiet:
            status.stop()
        for event in platform.events(f"/deployments/{asked['id']}/events"):
            d: dict[str, Any] = event.data
            steps = [s for s in d["steps"] if s["generation"] == generation]
            for step in [] if quiet else steps[shown:]:
                show.say(f"{_seconds(steps[0], step):6.1f} s  {step['state']}", show.COLOURS.get(step["state"], ""))
            shown = len(steps)
            status.update(f"{d['wanted']['state']}  {d['serving']['ready']} of {d['serving']['wanted']} instances serve")
            if d["wanted"]["generation"] > generation or done(d):
                return d
    raise Failure(f"The news of {asked['name']} ended early.", f"berth ps {asked['name']}")


def told(platform: Platform, asked: dict[str, Any], wait: bool, json: bool) -> None:
    """Follows a wish to run something and prints the link. Failure: it does not run, and why."""
    d, generation = asked, asked["wanted"]["generation"]
    if wait:
        try:
            d = end_of(platform, asked, quiet=json)
        except KeyboardInterrupt:
            raise Failure(f"{asked['name']} goes on without you.", f"berth ps {asked['name']}", code=130) from None
        if not runs(d, generation):
            raise why_not(platform, d, generation)
    if json:
        show.json(d)
        return
    if d["wanted"]["state"] == "RUNNING":
        bound = sum(len(sensors) for sensors in d["bindings"].values())
        show.say(f"{d['name']} {d['release']['version']} runs, generation {d['wanted']['generation']}, bound to {bound} sensors")
    show.line(d["link"] or d["id"])


def done(d: dict[str, Any]) -> bool:
    code, wish = d["wanted"]["state_code"], d["wanted"]["wish"]
    return bool(code >= Rollout.STOPPED or (wish == "run" and code == Rollout.RUNNING))


def runs(d: dict[str, Any], generation: int) -> bool:
    return bool(d["wanted"]["generation"] == generation and d["wanted"]["state"] == Rollout.RUNNING.name)


def why_not(platform: Platform, d: dict[str, Any], generation: int) -> Failure:
    """Reason, what to do, the build's last lines where it was the build, and what users get meanwhile."""
    wanted = d["wanted"]
    if wanted["generation"] > generation:
        newer = f"Generation {generation} of {d['name']} was overtaken by generation {wanted['generation']}."
        return Failure(newer, f"berth ps {d['name']}")
    release = platform.get(f"/releases/{d['release']['id']}")
    reason = wanted["reason"] or release["reason"] or f"It is {wanted['state']}, and nothing more is known."
    problem = {
        "title": wanted["state"], "correlation": d["correlation"], "deployment": d, "serving": serving(d),
        "errors": [{"path": f"sensors.{s['need']}", "rule": s["reason"], "hint": ""} for s in d["shortages"] if s["reason"] != reason],
        "log": last_lines(platform, release["id"]) if release["state"] == "FAILED" else _last(wanted["log"]),
    }  # fmt: skip
    return Failure(f"{d['name']}: {reason}", wanted["hint"] or release["hint"], problem)


def tell(failure: Failure) -> None:
    """What a failed deployment has to say beside the error itself."""
    if lines := failure.problem.get("log"):
        show.say("the last lines:", "dim")
        for line in lines:
            timed = BUILDS.fullmatch(line)
            show.say(f"  {timed[1]} {timed[2]}" if timed else f"  {line}")
    if told := failure.problem.get("serving"):
        show.say(told)


def _last(log: str, most: int = 15) -> list[str]:
    """What an instance said before it ended; of a traceback that came again and again, once."""
    lines = [line for line in log.splitlines() if line.strip()]
    begins = [n for n, line in enumerate(lines) if line.startswith("Traceback ")]
    return lines[begins[-1] if begins else 0 :][-most:]


def serving(d: dict[str, Any]) -> str:
    seen = d["serving"]
    if seen["health"] == "none":
        return f"Nothing of {d['name']} serves."
    ready = f"{seen['ready']} of {seen['wanted']} instances"
    return f"Generation {seen['generation']} still serves ({seen['health']}, {ready}): {d['link']}"


def _seconds(first: dict[str, Any], step: dict[str, Any]) -> float:
    return (datetime.fromisoformat(step["at"]) - datetime.fromisoformat(first["at"])).total_seconds()
