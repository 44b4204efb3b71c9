"""What went wrong with the platform's own parts: list, show line by line, acknowledge; and what it stands on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from cli import show
from cli.failure import Failure
from cli.options import At, Json
from cli.patience import pause
from cli.session import Platform, connect

incidents = typer.Typer(invoke_without_command=True)
Named = Annotated[str, typer.Argument(metavar="ID", help="Its id or how that begins or ends.")]
STEP = 0.5
LONGEST = timedelta(minutes=5)


@incidents.callback()
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=0, max=500, help="How many that are closed, beside all that are open.")] = 20,
    at: At = "",
    json: Json = False,
) -> None:
    """Incidents, the open ones first; without a further verb they are listed."""
    if context.invoked_subcommand:
        return
    found = connect(at).get("/incidents", limit=limit)["items"]
    if json:
        show.json({"items": found})
        return
    rows = [
        (show.moment(i["opened"]), i["outcome"] or "open", _took(i), i["title"], i["acknowledged_by"], i["id"]) for i in found
    ]  # fmt: skip
    show.table(("opened (UTC)", "outcome", "took", "what", "seen by", "id"), rows, "No incidents.")


@incidents.command("show")
def show_(incident: Named, at: At = "", json: Json = False) -> None:
    """An incident with its timeline."""
    platform = connect(at)
    found = platform.get(f"/incidents/{_chosen(platform, incident)}")
    if json:
        show.json(found)
    else:
        tell(found)


@incidents.command()
def ack(incident: Named, at: At = "", json: Json = False) -> None:
    """Say that you have seen an incident; it stays open until it is over."""
    platform = connect(at)
    found = platform.post(f"/incidents/{_chosen(platform, incident)}/acknowledge")
    if json:
        show.json(found)
    else:
        show.say(f"{found['title']}: seen by {found['acknowledged_by']}.")


def backing(at: At = "", json: Json = False) -> None:
    """What the platform stands on, and whether it answers: Kafka, PostgreSQL, Azurite, the registry, slapd, HAProxy."""
    found = connect(at).items("/backing")
    if json:
        show.json({"items": found})
        return
    rows = [(s["name"], s["state"], _answered(s), show.moment(s["since"]), s["reason"], s["incident"]) for s in found]
    show.table(("service", "state", "answered in", "since (UTC)", "reason", "incident"), rows, "Nothing was asked yet.")


def tell(incident: dict[str, Any]) -> None:
    """A head, then each line with the seconds since the one before."""
    about = " ".join(filter(None, (incident["subsystem"], incident["role"], incident["replica"])))
    show.line(f"{incident['title']}  [{incident['outcome'] or 'open'}]  {about}".rstrip())
    for line in incident["timeline"]:
        _line(line)


def followed(platform: Platform, id: str, quiet: bool) -> dict[str, Any]:
    """Until it is closed; each new line is printed as it comes."""
    shown, end = 0, datetime.now() + LONGEST
    while True:
        incident: dict[str, Any] = platform.get(f"/incidents/{id}")
        for line in () if quiet else incident["timeline"][shown:]:
            _line(line)
        shown = len(incident["timeline"])
        if incident["state"] == "closed":
            return incident
        if datetime.now() > end:
            raise Failure(f"It is not over after {LONGEST}.", f"berth incidents show {id}")
        pause(STEP)


def _line(line: dict[str, Any]) -> None:
    show.line(f"{show.moment(line['at'])}  +{line['since_before']:6.1f} s  {line['text']}")


def _chosen(platform: Platform, given: str) -> str:
    """Ids begin with their time, so the end tells more. What is not among the newest is asked for as it is."""
    items = platform.get("/incidents", limit=500)["items"]
    found = [i["id"] for i in items if given and (i["id"].startswith(given) or i["id"].endswith(given))]
    if len(found) > 1 and given not in found:
        raise Failure(f"{len(found)} incidents have {given}.", "Give more of the id; berth incidents lists them.", code=2)
    return given if given in found or not found else found[0]


def _took(incident: dict[str, Any]) -> str:
    return "" if incident["seconds"] is None else f"{incident['seconds']:.1f} s"


def _answered(service: dict[str, Any]) -> str:
    return "" if service["answered_ms"] is None else f"{service['answered_ms']:.0f} ms"
