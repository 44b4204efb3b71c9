"""The pages of operators and administrators on twins: what they show, what others do not get, what stands when a part is away."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest

import platform_ui.subsystem
from contracts.lines import Line
from tests.scenarios.memory_world import MemoryWorld
from tests.scenarios.test_pages import deployed, words
from tests.support import npm
from tests.support.lines import line, send
from tests.support.visitor import HOME, Visitor

TRACE = "ab" * 16
STAFF = ("/subsystems", "/incidents", "/nodes", "/nodes/node1", "/logs", "/")
ONLY = ("/subsystems", "/incidents", "/incidents/x", "/nodes", "/nodes/node1", "/people")


@pytest.fixture(scope="module", autouse=True)
def vendored() -> None:
    npm.pages()


@pytest.fixture
def world() -> MemoryWorld:
    made = MemoryWorld()
    made.platform.settings["BERTH_PUBLIC_URL"] = HOME
    made.platform.add(platform_ui.subsystem.build, "platform_ui")
    made.pass_time(3)
    return made


def somebody(world: MemoryWorld, role: str) -> Visitor:
    visitor = Visitor(world)
    assert visitor.login(role).status_code == 303
    return visitor


@pytest.fixture
def otto(world: MemoryWorld) -> Visitor:
    return somebody(world, "operator")


def said(world: MemoryWorld, *texts: str, **facts: Any) -> list[Line]:
    """Lines of the monitor, a second apart, the last one now."""
    usual = {"kind": "subsystem", "service": "monitor", "instance": "m1", "workspace": "", "app": "", "deployment": "", "node": "node1"}
    begin = world.platform.clock.now() - timedelta(seconds=len(texts))
    position = len(texts) * 1000 + int(begin.timestamp()) % 1000
    made = [line(position + n, n, f"c-{facts}", begin, text=text, **{**usual, **facts}) for n, text in enumerate(texts)]
    send(world.platform.records, made)
    world.pass_time(1)
    return made


def restarted(otto: Visitor, part: str = "sensor_manager storage") -> str:
    page = otto.get("/subsystems").text
    action = re.search(rf'data-action="([^"]+)" aria-label="Restart {part}', page)
    assert action is not None
    answer = otto.post(action[1])
    assert answer.status_code == 303
    otto.world.pass_time(1)
    return str(answer.headers["location"])


# -- who gets them ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["developer", "user"])
def test_others_get_no_staff_pages(world: MemoryWorld, role: str) -> None:
    visitor = somebody(world, role)
    home = visitor.get("/").text
    for path in ONLY:
        answer = visitor.get(path)
        assert answer.status_code == 403 and "This is not yours to do" in words(answer), path
        assert f'href="{path}"' not in home, path
    assert ('href="/logs"' in home) is (role == "developer") and visitor.get("/logs").status_code == (200 if role == "developer" else 403)
    visitor.get("/")
    assert visitor.post("/subsystems/x/restart").status_code == 403 and visitor.post("/incidents/x/acknowledge").status_code == 403
    for path in ("/news/subsystems", "/news/incidents", "/news/nodes", "/news/nodes/node1", "/news/incidents/x"):
        assert visitor.client.get(path).status_code == 403, path


def test_people_are_for_administrators(world: MemoryWorld, otto: Visitor) -> None:
    assert otto.get("/people").status_code == 403 and 'href="/people"' not in otto.get("/").text
    ada = somebody(world, "admin")
    page = ada.get("/people")
    assert page.status_code == 200 and 'href="/people"' in page.text
    told = words(page)
    assert re.search(r"\d people, as the directory has them", told) and "dora@example.com" in told and "What the groups give" in told


def test_staff_pages_keep_a_strict_policy(otto: Visitor) -> None:
    where = restarted(otto)
    for path in (*STAFF, where, "/logs?node=n&text=<b>&since=2026-01-05T08:00:00Z"):
        answer = otto.get(path)
        assert answer.status_code == 200, path
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and not re.search(r"<[^>]+\s(style|on[a-z]+)=", answer.text), path


# -- subsystems and incidents --------------------------------------------------------------------------------------------------


def test_each_part_stands_with_its_health_and_what_it_stands_on(otto: Visitor) -> None:
    told = words(otto.get("/subsystems"))
    assert "All are ready" in told and "sensor_manager storage" in told and "PostgreSQL" in told and "Kafka" in told
    (first,) = otto.news("/news/subsystems")
    page = otto.get("/subsystems").text
    ids = [id for id in first["parts"] if f'id="{id}"' in page]
    assert len(ids) == len(first["parts"]) and {"p-subs-rows", "p-backing", "p-subs-sum", "p-subs-incidents"} <= set(ids)


def test_a_restart_leads_to_its_incident_and_is_seen_by_whoever_acknowledges_it(otto: Visitor) -> None:
    where = restarted(otto)
    page = otto.get(where)
    told = words(page)
    assert "otto restarts sensor_manager storage" in told and "Attempt 1" in told and "since the step before" in told
    assert "Acknowledge" in told and "nobody yet" in told and "1 open" in told
    assert {"p-inc-steps", "p-inc-about"} <= set(otto.news(f"/news{where}")[0]["parts"])
    assert otto.post(f"{where}/acknowledge").headers["location"] == where
    after = words(otto.get(where))
    assert "Acknowledged" in after and "Otto has seen it" in after and "Seen by otto" in after
    assert "otto restarts sensor_manager storage" in words(otto.get("/incidents"))
    assert "otto restarts sensor_manager storage" in words(otto.get("/")) and "otto has seen it" in words(otto.get("/"))
    assert otto.get("/incidents/nothing").status_code == 404


def test_an_incident_shows_the_lines_of_its_part_and_time(world: MemoryWorld, otto: Visitor) -> None:
    said(world, "batch_stored", service="sensor_manager.storage", instance="s1")
    said(world, "other_line")
    page = otto.get(restarted(otto))
    assert "batch_stored" in words(page) and "other_line" not in words(page)
    assert "service=sensor_manager.storage" in page.text


def test_what_does_not_answer_stands_with_its_age_and_the_rest_with_it(world: MemoryWorld, otto: Visitor) -> None:
    assert "does not answer" not in words(otto.get("/subsystems"))
    world.platform.peers.away.add("monitor")
    world.pass_time(30)
    told = words(otto.get("/subsystems"))
    assert "The monitor does not answer just now" in told and "was seen 3" in told and "sensor_manager storage" in told
    home = words(otto.get("/"))
    assert "cannot be seen just now" in home and "Sensors" in home
    world.platform.peers.away |= {"node_manager.api", "logger"}
    assert "The node manager does not answer just now" in words(otto.get("/nodes"))
    logs = otto.get("/logs")
    assert logs.status_code == 200 and "Lines cannot be shown just now" in words(logs)
    assert otto.get("/logs").text.count("<h1>") == 1


# -- nodes ---------------------------------------------------------------------------------------------------------------------


def test_a_node_shows_what_it_has_left_and_what_runs_on_it(world: MemoryWorld, otto: Visitor) -> None:
    dora = somebody(world, "developer")
    deployed(dora)
    told = words(otto.get("/nodes"))
    assert "vm1" in told and "% of 4 cores" in told and "1 instance" in told
    page = otto.get("/nodes/node1")
    assert page.text.count("data-figures=") == 5 and "stands" in words(page) and "dora/ web" in words(page)
    assert otto.get("/nodes/vm1").status_code == 200, "by its name as well"
    assert 'aria-current="true">24 h' in otto.get("/nodes/node1?span=24h").text
    assert otto.get("/nodes/nothing").status_code == 404
    told_live = otto.news("/news/nodes/node1", 2)
    assert [n["figures"]["cpu"] for n in told_live if "figures" in n] and any("p-node-meters" in n.get("parts", {}) for n in told_live)
    (card,) = otto.news("/news/nodes")
    assert {"node-node1", "p-nodes-sum"} <= set(card["parts"])


# -- lines -----------------------------------------------------------------------------------------------------------------------


def test_lines_are_found_by_what_the_address_says(world: MemoryWorld, otto: Visitor) -> None:
    said(world, "replica_silent", level="warning", correlation=TRACE, facts={"role": "storage"})
    said(world, "leads", service="monitor")
    said(world, "keys_read", service="identity", instance="i1")
    told = words(otto.get("/logs"))
    assert "replica_silent role= storage" in told and "keys_read" in told and "Live tail" in told
    assert "keys_read" not in words(otto.get("/logs?service=monitor")) and "leads" not in words(otto.get("/logs?level=warning"))
    found = otto.get(f"/logs?correlation={TRACE}")
    assert "replica_silent" in words(found) and f"correlation id: {TRACE}" in words(found)
    assert "Drop a filter" in words(otto.get("/logs?text=nowhere"))
    marked = otto.get("/logs?text=SILENT&order=newest").text
    assert "replica_<mark>silent</mark>" in marked and 'data-lines=""' in marked
    assert otto.get(f"/logs?q={TRACE}+service%3Dmonitor").headers["location"] == f"/logs?service=monitor&correlation={TRACE}"
    assert "replica_silent" in otto.get("/logs.txt?service=monitor").text
    assert otto.get("/logs?since=yesterday").status_code == 200, "what the logger refuses is said on the page"


def test_a_line_carries_its_details_and_only_as_text(world: MemoryWorld, otto: Visitor) -> None:
    said(world, "<script>alert(1)</script>", facts={"why": '"><img src=x>'})
    page = otto.get("/logs").text
    assert "<script>alert" not in page and "<img src=x" not in page
    row = re.search(r'data-line="([^"]*alert[^"]*)"', page)
    assert row is not None and '"why":"\\"><img src=x>"' in html.unescape(row[1])


def test_the_tail_brings_what_is_printed_and_says_where_it_goes_on(world: MemoryWorld, otto: Visitor) -> None:
    said(world, "first", "second")
    told = otto.news("/news/lines?service=monitor", 2)
    assert [re.sub(r"<[^>]+>", "", n["rows"][0]["html"]).split("monitor")[1].strip() for n in told] == ["first", "second"]
    assert all(n["after"] and n["rows"][0]["id"] for n in told)


def test_makers_see_lines_of_their_apps_alone(world: MemoryWorld) -> None:
    said(world, "of_the_platform")
    said(world, "of_dora", kind="app", workspace="dora", app="comfort", service="web")
    said(world, "of_eve", kind="app", workspace="eve", app="other", service="web")
    told = words(somebody(world, "developer").get("/logs"))
    assert "of_dora" in told and "of_eve" not in told and "of_the_platform" not in told


# -- what else -------------------------------------------------------------------------------------------------------------------


def test_an_error_leads_staff_to_its_lines(world: MemoryWorld, otto: Visitor) -> None:
    page = otto.get("/nowhere")
    assert page.status_code == 404 and f"/logs?correlation={page.headers['x-correlation']}" in page.text
    assert "/logs?correlation=" not in somebody(world, "developer").get("/nowhere").text


def test_home_says_how_the_platform_stands(world: MemoryWorld, otto: Visitor) -> None:
    told = words(otto.get("/"))
    for well in ("replicas ready", "6 of 6 up", "1 of 1 well", "none open", "Nothing needs you"):
        assert well in told, well
    assert "p-platform" in otto.news("/news/home")[0]["parts"]
    assert "replicas ready" not in words(somebody(world, "developer").get("/"))
