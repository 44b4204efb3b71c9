"""The product's main job, told once: a zip becomes a healthy app behind a link, fed by sensors, through crashes, until it is stopped."""

from __future__ import annotations

from tests.scenarios.story import (
    add_device,
    comfort,
    deployment,
    destroy,
    incidents,
    new_name,
    new_trace,
    replaced,
    replicas,
    run,
    send,
    shown,
    talker,
    the_one,
    upload,
    wait_for,
)  # fmt: skip
from tests.scenarios.world import World, zipped


def test_from_a_zip_to_a_link_and_back(world: World) -> None:
    token, app, trace = world.login("developer"), new_name("comfort"), new_trace()
    room = f"hq/floor-1/{new_name('room')}"
    device = add_device(world, token, room, "temperature")
    send(world, device, "temperature", 20.5)

    release = upload(world, token, comfort(app, f"{room}/**"), trace)
    assert (release["app"], release["version"]) == (app, "1.0.0")
    asked = world.ask("POST", "/deployments", token, json={"release": release["id"], "instances": {"web": 2}}, trace=trace).ok(201)
    id = asked["id"]

    d = wait_for(world, token, id, "RUNNING", 1)
    assert d["link"].endswith(f"/{world.workspace('developer')}/{app}/")
    assert [s["place"] for s in d["bindings"]["temperature"]] == [room]
    world.until(lambda: deployment(world, token, id)["serving"]["health"] == "healthy", 30, "both instances in the front door")

    send(world, device, "temperature", 21.25)
    newest = world.until(lambda: [r for r in shown(world, d["link"]) if r["value"] == 21.25] or None, 15, "the reading on the app's page")
    assert (newest[0]["kind"], newest[0]["unit"]) == ("temperature", "°C")

    before = set(world.instances(id))
    assert len(before) == 2
    victim = sorted(before)[0]
    world.kill_instance(victim)
    world.until(lambda: len(new := set(world.instances(id))) == 2 and new - before, 15, "a successor")
    world.until(lambda: deployment(world, token, id)["serving"]["health"] == "healthy", 15, "the successor in the front door")
    assert shown(world, d["link"])

    def wish() -> None:
        world.ask("POST", "/deployments", token, json={"release": release["id"], "name": app, "instances": {"web": 1}}, trace=trace)

    world.die_between("app_controller", wish, lambda: deployment(world, token, id)["wanted"]["generation"] == 2)
    d = wait_for(world, token, id, "RUNNING", 2)
    assert shown(world, d["link"])

    parts = {"app_controller", "deployer", "sensor_manager", "gateway", "node_manager"}
    world.until(lambda: parts <= world.sources(trace), 20, f"lines of {parts}, found {world.sources(trace)}")

    world.ask("POST", f"/deployments/{id}/stop", token).ok(202)
    wait_for(world, token, id, "STOPPED", 3)
    assert world.visit(d["link"]).status == 404
    assert deployment(world, token, id)["serving"]["health"] == "none"
    world.ask("DELETE", f"/deployments/{id}", token).ok(202)
    world.until(lambda: world.ask("GET", f"/deployments/{id}", token).status == 404, 30, "nothing left")


def test_a_part_that_stands_still_is_replaced(frail: World) -> None:
    """Docker sees a process that runs; only its heartbeats stop."""
    before = the_one(frail, "node_manager.api")
    frail.stand_still("node_manager.api")
    incident = replaced(frail, before)
    texts = [line["text"] for line in incident["timeline"]]
    assert (incident["kind"], incident["outcome"]) == ("replica", "replaced")
    assert (incident["subsystem"], incident["role"]) == ("node_manager", "api")
    assert texts[0] == "its last heartbeat" and texts[1].startswith(f"no heartbeat of replica {before} for 3")
    assert any("its process was killed: GET /live" in text for text in texts) and texts[-1].startswith("a new heartbeat")
    assert incident["seconds"] < 60 and incident["attempts"] >= 1
    frail.until(lambda: {"monitor", "node_manager"} <= frail.lines_about(incident["id"]), 20, "lines of the monitor and the agent")
    after = frail.until(lambda: replicas(frail, "node_manager.api"), 30, "the successor serves")
    assert after == [incident["successor"]] != [before]


def test_an_instance_that_stands_still_gets_a_successor(frail: World) -> None:
    token, app = frail.login("developer"), new_name("talker")
    d = run(frail, token, talker(app), instances=2)
    before = set(frail.instances(d["id"]))
    victim = min(before)
    frail.stand_still_instance(victim)
    after = frail.until(lambda: new if len(new := set(frail.instances(d["id"]))) == 2 and victim not in new else None, 30, "a successor")
    assert len(after & before) == 1
    frail.until(lambda: deployment(frail, token, d["id"])["serving"]["health"] == "healthy", 30, "the successor in the front door")
    assert frail.visit(d["link"], "hello").body == b"told /hello"
    destroy(frail, token, d["id"])


def test_the_monitors_leader_dies_and_the_other_one_acts(frail: World) -> None:
    before = the_one(frail, "deployer")
    frail.kill_leader()
    frail.stand_still("deployer")
    incident = replaced(frail, before)
    assert incident["outcome"] == "replaced"
    frail.until(lambda: replicas(frail, "deployer") == [incident["successor"]], 30, "a new deployer serves")
    frail.until(lambda: len(replicas(frail, "monitor")) == 2, 60, "two monitors again")


def test_kafka_is_away_for_a_while_and_nothing_acknowledged_is_lost(frail: World) -> None:
    token, app = frail.login("developer"), new_name("talker")
    room = f"hq/{new_name('room')}"
    device = add_device(frail, token, room, "temperature")
    d = run(frail, token, talker(app))
    parts = ("deployer", "identity", "sensor_manager.intake", "monitor")
    before = {part: set(replicas(frail, part)) for part in parts}
    acknowledged: list[float] = []
    uploads: list[str] = []
    visited: list[str] = []

    def live(turn: int) -> bool:
        """What people and devices do meanwhile; what is refused they were told. Whether the reading was taken."""
        sent = frail.ask("POST", "/readings", device["token"], json={"sensor_id": "temperature", "value": float(turn)})
        if sent.status == 200 and sent.json["accepted"]:
            acknowledged.append(float(turn))
        assert frail.visit(d["link"], f"turn-{turn}").status == 200, "links work without Kafka"
        visited.append(f"visited /turn-{turn}")
        return float(turn) in acknowledged

    live(1)
    assert (acknowledged, visited) == ([1.0], ["visited /turn-1"])
    with frail.without("kafka"):
        began, turn = frail.seconds(), 1
        while frail.seconds() - began < 20:
            turn += 1
            live(turn)
            if turn == 3:
                answer = frail.ask("POST", "/releases", token, body=zipped(talker(new_name("late"))), kind="application/zip")
                uploads += [answer.json["id"]] if answer.status in (200, 201) else []
            frail.let_pass(1)
    frail.until(lambda: live(100), 60, "readings are taken again")

    def stored() -> set[float]:
        got = frail.ask("GET", f"/readings?sensor={device['sensors'][0]['sensor']}&limit=1000", token)
        return {item["value"] for item in got.json["items"]} if got.status == 200 else set()

    frail.until(lambda: set(acknowledged) <= stored(), 60, f"all of {acknowledged} stored")
    for release in uploads:
        frail.until(lambda r=release: frail.ask("GET", f"/releases/{r}", token).ok(200)["state"] == "BUILT", 90, "the upload is built")  # type: ignore[misc]

    def told() -> set[str]:
        got = frail.ask("GET", f"/lines?deployment={d['id']}&kind=app&limit=1000", token)
        return {item["text"] for item in got.json["items"]} if got.status == 200 else set()

    frail.until(lambda: set(visited) <= told(), 60, f"all of {len(visited)} printed lines are kept")
    frail.until(lambda: not incidents(frail, 0), 60, "no incident is open")
    newest = next(i for i in incidents(frail) if i["kind"] == "backing" and i["subsystem"] == "kafka")
    assert newest["outcome"] == "recovered" and newest["timeline"][-1]["text"].startswith("kafka answers again")
    assert {part: set(replicas(frail, part)) for part in parts} == before, "nobody was replaced because of it"
    destroy(frail, token, d["id"])
