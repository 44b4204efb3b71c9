"""The product's main job, told once: a zip becomes a healthy app behind a link, fed by sensors, through crashes, until it is stopped."""

from __future__ import annotations

from tests.scenarios.story import add_device, comfort, deployment, new_name, new_trace, send, shown, upload, wait_for
from tests.scenarios.world import World


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
