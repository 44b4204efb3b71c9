"""An app's pages on twins: its parts, wishes that keep what was chosen, failures with their lines, the doors of who only opens apps."""

from __future__ import annotations

import re
from typing import Any

import pytest

import platform_ui.subsystem
from tests.scenarios.memory_world import MemoryWorld
from tests.scenarios.test_bad_input import one
from tests.scenarios.test_pages import comfort, deployed, device, words
from tests.scenarios.world import zipped
from tests.support import npm
from tests.support.visitor import HOME, Visitor

APP = "/apps/dora/comfort"
TABS = ("", "/deployments", "/releases", "/logs", "/figures", "/settings")


@pytest.fixture(scope="module", autouse=True)
def vendored() -> None:
    npm.pages()


@pytest.fixture
def world() -> MemoryWorld:
    made = MemoryWorld()
    made.platform.settings["BERTH_PUBLIC_URL"] = HOME
    made.platform.add(platform_ui.subsystem.build, "platform_ui")
    return made


@pytest.fixture
def dora(world: MemoryWorld) -> Visitor:
    visitor = Visitor(world)
    visitor.login("developer")
    return visitor


def mate(world: MemoryWorld) -> Visitor:
    """Somebody of dora's workspace who only opens apps."""
    visitor = Visitor(world)
    assert visitor.login("ugo").status_code == 303
    return visitor


def newer(dora: Visitor, version: str = "1.1.0", **more: str) -> str:
    """A second release of comfort; gives its page."""
    return str(dora.send(comfort(version_1="version: 1", **{"version_1.0.0": f"version: {version}"}, **more)).json()["href"])


def deployment(dora: Visitor) -> Any:
    return dora.world.ask("GET", "/deployments", dora.world.login("developer")).ok(200)["items"][0]


def id_of(href: str) -> str:
    return href.rsplit("/", 1)[1]


def test_every_part_of_an_app_stands_and_says_what_it_is(dora: Visitor) -> None:
    deployed(dora)
    for tab in TABS:
        page = dora.get(APP + tab)
        assert page.status_code == 200, tab
        assert re.search(r'<a href="[^"]*"\s+aria-current="page">', page.text), tab
        assert "unsafe" not in page.headers["content-security-policy"] and not re.search(r"<[^>]+\s(style|on[a-z]+)=", page.text), tab
    assert "RUNNING" in words(dora.get(APP)) and "healthy" in words(dora.get(APP)) and "web." in words(dora.get(APP))
    assert dora.get(f"{APP}/nonsense").status_code == 404


def test_wanted_and_serving_say_their_versions_side_by_side(dora: Visitor) -> None:
    where = deployed(dora)
    release = newer(dora)
    dora.get(f"{APP}/releases")
    dora.post(f"{where}/release", release=id_of(release))
    page = words(dora.get(APP))
    assert re.search(r"Wanted g2 1\.1\.0", page) and re.search(r"Serving g1 1\.0\.0 healthy", page)


def test_rolling_back_asks_by_name_and_keeps_the_number_of_instances(dora: Visitor) -> None:
    where = deployed(dora)
    assert dora.post(f"{where}/scale", **{"instances.web": "2"}).headers["location"] == where
    assert "2 instances wanted" in words(dora.get(APP))
    dora.world.pass_time(8)
    dora.post(f"{where}/release", release=id_of(newer(dora)))
    dora.world.pass_time(8)
    page = dora.get(f"{APP}/releases")
    assert "Roll comfort back to 1.0.0?" in words(page) and "Deploy again" in words(page)
    old = next(r for r in re.findall(r'name="release" value="([^"]+)"', page.text) if r != deployment(dora)["release"]["id"])
    assert dora.post(f"{where}/release", release=old).headers["location"] == where
    dora.world.pass_time(8)
    d = deployment(dora)
    assert (d["release"]["version"], d["wanted"]["state"], d["serving"]["ready"]) == ("1.0.0", "RUNNING", 2)
    history = words(dora.get(f"{APP}/deployments"))
    assert re.search(r"g4 1\.0\.0 serving", history) and re.search(r"g3 1\.1\.0 replaced", history)


def test_a_wish_with_a_wrong_number_changes_nothing(dora: Visitor) -> None:
    where = deployed(dora)
    dora.get(where)
    for number in ("many", "0", "99"):
        answer = dora.post(f"{where}/scale", **{"instances.web": number})
        assert answer.status_code == 422 and "nothing was changed" in words(answer), number
    assert deployment(dora)["wanted"]["generation"] == 1


def test_what_was_stopped_starts_again_as_it_was(dora: Visitor) -> None:
    where = deployed(dora)
    dora.post(f"{where}/scale", **{"instances.web": "2"})
    dora.world.pass_time(8)
    dora.post(f"{where}/stop")
    dora.world.pass_time(15)
    page = words(dora.get(f"{APP}/settings"))
    assert "comfort is stopped" in page and "Start again" in page
    dora.post(f"{where}/start")
    dora.world.pass_time(8)
    d = deployment(dora)
    assert (d["wanted"]["state"], d["serving"]["ready"]) == ("RUNNING", 2)


def test_deploying_a_new_release_keeps_what_was_chosen(dora: Visitor) -> None:
    where = deployed(dora)
    dora.world.ask(
        "POST", "/deployments", dora.world.login("developer"),
        json={"release": deployment(dora)["release"]["id"], "instances": {"web": 2}, "environment": {"TARGET": "21"}},
    ).ok(200)  # fmt: skip
    dora.world.pass_time(8)
    release = newer(dora)
    assert 'value="2"' in dora.get(release).text
    assert dora.post(f"{release}/deploy").headers["location"] == where
    assert deployment(dora)["chosen"] == {"instances": {"web": 2}, "where": {}, "environment": {"TARGET": "21"}}


def test_a_shortage_says_what_is_short_and_how_to_try_again(dora: Visitor) -> None:
    device(dora)
    release = dora.send(comfort()).json()["href"]
    dora.get(release)
    where = dora.post(f"{release}/deploy", **{"where.temperature": "hq/attic/**"}).headers["location"]
    dora.world.pass_time(40)
    page = words(dora.get(where))
    assert "FAILED" in page and "hq/attic/**" in page and "Try again" in page and "before it failed" not in page
    assert "Try again" in words(dora.get(APP)) and "FAILED" in words(dora.get(f"{APP}/deployments"))


def test_what_an_instance_said_before_it_failed_stands_beside_the_reason(dora: Visitor) -> None:
    _, text = one(within=3)
    code = "import sys\nprint('no heater found', flush=True)\nsys.exit(3)\n"
    release = dora.send(zipped({"berth.yml": text, "app.py": code})).json()["href"]
    dora.get(release)
    where = dora.post(f"{release}/deploy").headers["location"]
    dora.world.until(lambda: deployment(dora)["wanted"]["state"] == "FAILED", 150, "it fails")
    dora.world.pass_time(2)
    page = dora.get(where)
    at = page.text.index("The last lines before it failed")
    assert "no heater found" in page.text[at:] and "It said last: no heater found" in words(page)
    dora.world.platform.peers.away.add("logger")
    assert "no heater found" in dora.get(where).text[at:], "the deployment keeps its end also where the logger is away"


def test_a_part_that_does_not_answer_says_so_and_the_rest_stands(dora: Visitor) -> None:
    deployed(dora)
    dora.world.platform.peers.away |= {"node_manager.api", "logger"}
    page = words(dora.get(APP))
    assert "Instances and their figures cannot be shown just now" in page and "Serving g1 1.0.0 healthy" in page
    assert "Lines cannot be shown just now" in words(dora.get(f"{APP}/logs"))


def test_the_news_of_each_part_are_parts_of_its_page(dora: Visitor) -> None:
    deployed(dora)
    query = f"?deployment={deployment(dora)['id']}"
    for tab in ("overview", "deployments", "releases", "figures", "settings"):
        page = dora.get(APP if tab == "overview" else f"{APP}/{tab}").text
        assert f'data-news="/news{APP}/{tab}{query}"' in page
        most = 2 if tab in ("overview", "figures") else 1
        ids = [id for news in dora.news(f"/news{APP}/{tab}{query}", most) for id in news.get("parts", {})]
        assert [id for id in ids if f'id="{id}"' in page], tab
        assert any(id.startswith(("p-instances-", "cpu-")) for id in ids) == (most == 2), tab


def test_each_second_of_figures_is_told_for_cells_and_charts(dora: Visitor) -> None:
    deployed(dora)
    told: list[Any] = []
    for most in range(2, 6):
        told = [n for n in dora.news(f"/news{APP}/figures?deployment={deployment(dora)['id']}", most) if "figures" in n]
        if told:
            break
    point, parts = told[0]["figures"], told[0]["parts"]
    ((instance, cpu),) = point["cpu"].items()
    assert point["names"][instance].startswith("web.") and cpu >= 0 and point["memory"][instance] > 0
    assert f'id="cpu-{instance}"' in dora.get(f"{APP}/figures").text and "of 128" in parts[f"memory-{instance}"]


def test_a_deployment_that_came_since_is_said_on_the_page(dora: Visitor) -> None:
    deployed(dora)
    release = dora.world.ask("GET", "/apps", dora.world.login("developer")).ok(200)["items"][0]["newest"]["id"]
    dora.get(f"/releases/{release}")
    dora.post(f"/releases/{release}/deploy", name="comfort-two")
    dora.world.pass_time(8)
    page = words(dora.get(f"{APP}?deployment=comfort-two"))
    assert "https://apps.memory/dora/comfort-two/" in page
    assert "Deployments 2" in page


# -- who only opens apps -----------------------------------------------------------------------------------------------------


def test_who_only_opens_apps_sees_their_doors_and_nothing_else(world: MemoryWorld, dora: Visitor) -> None:
    where = deployed(dora)
    ugo = mate(world)
    home = ugo.get("/")
    assert "Hello, Ugo" in words(home) and "comfort" in words(home) and 'href="https://apps.memory/dora/comfort/"' in home.text
    for nothing in ("/devices", "/upload", "/logs", "/subsystems", "/nodes", "/workspace"):
        assert f'"{nothing}"' not in home.text, nothing
    assert "Needs attention" not in words(home)
    app = ugo.get(APP)
    assert app.status_code == 200 and "Destroy" not in words(app) and "Scale" not in words(app) and "Open" in words(app)
    assert ugo.get(where).headers["location"] == APP and ugo.get(f"{APP}/logs").headers["location"] == APP
    (told,) = ugo.news("/news/home")
    assert "comfort" in told["parts"]["p-doors"]
    assert ugo.post(f"{where}/stop").status_code in (403, 404) and deployment(dora)["wanted"]["wish"] == "run"


def test_who_may_open_nothing_yet_is_told_so(world: MemoryWorld) -> None:
    uma = Visitor(world)
    uma.login("user")
    assert "No app runs in your workspaces yet" in words(uma.get("/"))


def test_who_only_reads_finds_no_button_that_changes_something(world: MemoryWorld, dora: Visitor) -> None:
    deployed(dora)
    otto = Visitor(world)
    otto.login("operator")
    for tab in TABS:
        page = words(otto.get(APP + tab))
        assert not re.search(r"Scale|Destroy|Roll back|New release", page), tab


# -- what needs somebody -----------------------------------------------------------------------------------------------------


def test_a_device_gone_quiet_is_said_at_home_with_who_is_bound_to_it(dora: Visitor) -> None:
    page = device(dora)
    token = re.search(r'id="token">([^<]+)<', page.text)[1]  # type: ignore[index]
    href = re.search(r'action="(/devices/[^"]+)/token"', page.text)[1]  # type: ignore[index]
    dora.world.ask("POST", "/readings", token, json={"sensor_id": "temperature", "value": 21.4})
    release = dora.send(comfort()).json()["href"]
    dora.get(release)
    dora.post(f"{release}/deploy")
    dora.world.pass_time(8)
    assert "is quiet" not in words(dora.get("/")) and "quiet since" not in words(dora.get(href))
    dora.world.platform.clock.advance(840)
    home = words(dora.get("/"))
    assert "room-101-node is quiet" in home and "bound to comfort" in home
    assert "quiet since" in words(dora.get(href))
