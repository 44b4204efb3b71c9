"""The pages, end to end on twins: every page is asked as a browser asks, and the API decides what is done."""

from __future__ import annotations

import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import platform_ui.subsystem
from contracts.manifest import read_manifest
from tests.scenarios.memory_world import MemoryWorld
from tests.scenarios.world import sample, zipped
from tests.support import npm
from tests.support.visitor import HOME, Visitor

BAD = """\
berth: 1
name: Comfort
version: 1.3.0
services:
  web:
    runtime: pyhton
    command: python app.py
    port: 8000
    public: true
    health: {path: healthz, within: 20s}
"""
SESSION = "__Host-berth"


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
    assert visitor.login("developer").status_code == 303
    return visitor


def words(answer: Any) -> str:
    """What a page says, without its markup."""
    text = re.sub(r"<(script|svg|style).*?</\1>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


def comfort(**replace: str) -> bytes:
    files = sample("comfort")
    text = files["berth.yml"]
    written = text.decode() if isinstance(text, bytes) else text
    for old, new in replace.items():
        written = written.replace(old.replace("_", ": ", 1), new)
    return zipped(files | {"berth.yml": written})


def device(dora: Visitor, name: str = "room-101-node", place: str = "hq/floor-1/room-101") -> Any:
    dora.get("/devices/new")
    return dora.post("/devices/new", name=name, place=place, kind=["temperature", "co2"], key=["temperature", ""])


def deployed(dora: Visitor) -> str:
    device(dora)
    release = dora.send(comfort()).json()["href"]
    dora.get(release)
    where = dora.post(f"{release}/deploy").headers["location"]
    dora.world.pass_time(8)
    return str(where)


# -- who may come in ------------------------------------------------------------------------------------------------------


def test_a_wrong_login_does_not_say_which_part(world: MemoryWorld) -> None:
    known, unknown = Visitor(world).login("developer", "wrong"), Visitor(world).login("nobody", "wrong")
    assert (known.status_code, unknown.status_code) == (401, 401)
    assert "Name or password is wrong" in words(known) and "Name or password is wrong" in words(unknown)
    assert SESSION not in known.cookies


def test_the_session_is_new_at_login_and_its_cookie_is_locked(world: MemoryWorld) -> None:
    visitor = Visitor(world)
    visitor.client.cookies.set(SESSION, "chosen-by-somebody-else", domain="berth.test")
    answer = visitor.login("developer")
    (made,) = [c for c in answer.headers.get_list("set-cookie") if c.startswith(SESSION + "=")]
    assert {"HttpOnly", "Secure", "SameSite=Lax", "Path=/"} <= set(made.split("; ")) and "Domain" not in made
    assert "chosen-by-somebody-else" not in made
    other = Visitor(world)
    other.client.cookies.set(SESSION, "chosen-by-somebody-else", domain="berth.test")
    assert other.get("/").status_code == 303


def test_what_is_stored_of_a_session_does_not_open_it(dora: Visitor) -> None:
    cookie = dora.client.cookies[SESSION]
    stored = json.dumps([f.doc | {"id": f.id} for f in dora.world.platform.home.collection(_sessions()).find({})])
    assert cookie not in stored


def _sessions() -> Any:
    from platform_ui.store import SESSIONS

    return SESSIONS


def test_after_too_many_tries_there_is_a_pause(world: MemoryWorld) -> None:
    visitor = Visitor(world)
    answers = [visitor.login("developer", "wrong") for _ in range(12)]
    assert answers[-1].status_code == 429 and "try again in" in words(answers[-1])
    assert visitor.login("developer").status_code == 429


def test_a_stale_login_form_is_asked_again(world: MemoryWorld) -> None:
    answer = Visitor(world).post("/login", username="dora", password="pw-dora", first="forged")
    assert answer.status_code == 403 and "too old" in words(answer)


def test_the_way_in_leads_to_the_page_that_was_asked_for(world: MemoryWorld) -> None:
    visitor = Visitor(world)
    asked = visitor.get("/devices?span=1d")
    assert asked.status_code == 303 and asked.headers["location"] == "/login?next=%2Fdevices%3Fspan%3D1d"
    visitor.get(asked.headers["location"])
    assert visitor.post("/login", username="dora", password="pw-dora", next="/devices?span=1d").headers["location"] == "/devices?span=1d"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_the_way_in_never_leads_elsewhere(world: MemoryWorld, elsewhere: str) -> None:
    visitor = Visitor(world)
    visitor.get("/login")
    assert visitor.post("/login", username="dora", password="pw-dora", next=elsewhere).headers["location"] == "/"


def test_logging_out_ends_the_session_here_and_at_the_api(dora: Visitor) -> None:
    cookie = dora.client.cookies[SESSION]
    token = dora.world.platform.home.collection(_sessions()).find({})[0].doc["access"]
    assert dora.world.ask("GET", "/me", token).status == 200
    assert dora.post("/logout").headers["location"] == "/login"
    dora.world.pass_time(1)
    dora.client.cookies.set(SESSION, cookie, domain="berth.test")
    assert dora.get("/").status_code == 303
    assert dora.world.ask("GET", "/me", token).status == 401


def test_a_long_visit_renews_its_token_once_even_when_asked_at_once(dora: Visitor) -> None:
    dora.world.platform.clock.advance(16 * 60)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: dora.client.get("/apps"), range(4)))
    assert [a.status_code for a in answers] == [200] * 4
    dora.world.platform.clock.advance(16 * 60)
    assert dora.get("/apps").status_code == 200


# -- what others may not do with it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_a_page_of_another_address_changes_nothing(dora: Visitor, headers: dict[str, str]) -> None:
    answer = dora.post("/devices/new", headers=headers, name="x", place="hq", kind="temperature", key="t")
    assert answer.status_code == 403 and "nothing was changed" in words(answer)
    assert dora.send(b"PK", **headers).status_code == 403


def test_a_form_without_this_sessions_token_changes_nothing(dora: Visitor) -> None:
    assert dora.post("/devices/new", csrf="", name="x", place="hq").status_code == 403
    assert dora.send(b"PK", **{"X-CSRF-Token": "other"}).status_code == 403
    uma = Visitor(dora.world)
    uma.login("user")
    assert dora.post("/workspace", csrf=uma.fields["csrf"], workspace="dora").status_code == 403


def test_every_page_keeps_a_strict_policy(dora: Visitor) -> None:
    where = deployed(dora)
    app = "/apps/dora/comfort"
    pages = ["/", "/apps", app, where, "/devices", "/devices/new", "/upload", "/nowhere", "/login"]
    for path in pages:
        answer = dora.get(path) if path != "/login" else Visitor(dora.world).get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, path
        nonce = re.search(r"'nonce-([0-9a-f]+)'", policy)
        assert nonce is not None
        assert re.findall(r"<script(?![^>]* src=)[^>]*>", answer.text) == [f'<script nonce="{nonce[1]}">'], path
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", answer.text), path
        assert answer.headers["x-frame-options"] == "DENY" and answer.headers["cache-control"] == "no-store"


# -- what a person sees ----------------------------------------------------------------------------------------------------


def test_what_a_role_may_not_do_is_absent(world: MemoryWorld, dora: Visitor) -> None:
    uma = Visitor(world)
    uma.login("user")
    seen = uma.get("/").text
    assert 'href="/apps"' in seen and 'href="/devices"' not in seen and 'href="/upload"' not in seen
    assert uma.get("/devices").status_code == 403
    assert 'href="/devices"' in dora.get("/").text and 'href="/upload"' in dora.get("/").text


def test_staff_look_at_all_workspaces_and_names_say_which(world: MemoryWorld, dora: Visitor) -> None:
    deployed(dora)
    otto = Visitor(world)
    otto.login("operator")
    assert "All workspaces" in words(otto.get("/")) and "dora/comfort" in words(otto.get("/apps"))
    assert "dora/room-101-node" in words(otto.get("/devices"))
    assert otto.post("/workspace", workspace="dora", next="/apps").headers["location"] == "/apps"
    assert "Workspace dora" in words(otto.get("/"))


def test_a_workspace_of_others_cannot_be_looked_at(world: MemoryWorld, dora: Visitor) -> None:
    where = deployed(dora)
    uma = Visitor(world)
    uma.login("user")
    assert uma.post("/workspace", workspace="dora").status_code == 404
    assert uma.get("/apps/dora/comfort").status_code in (403, 404)
    assert uma.get(where).status_code == 404


def test_no_app_yet_is_a_place_to_drop_one(dora: Visitor) -> None:
    page = dora.get("/apps")
    assert "Your first app" in words(page) and "data-drop" in page.text and "data-choose" in page.text
    assert read_manifest(dora.get("/upload/berth.yml").text, kinds=None, files=None)


def test_the_palette_finds_apps_devices_and_pages(dora: Visitor) -> None:
    deployed(dora)
    assert "/apps/dora/comfort" in dora.get("/jump?q=comf").text
    assert "room-101-node" in dora.get("/jump?q=floor-1").text
    assert "Nothing is called" in words(dora.get("/jump?q=zzz"))


def test_a_wrong_address_is_a_page_with_its_number(dora: Visitor) -> None:
    page = dora.get("/nowhere")
    assert page.status_code == 404 and page.headers["x-correlation"] in page.text
    assert dora.get("/devices/nope").status_code == 404 and dora.get("/releases/nope").status_code == 404


def test_a_part_that_is_away_takes_no_page_with_it(dora: Visitor) -> None:
    deployed(dora)
    dora.world.platform.peers.away.add("sensor_manager.api")
    home = dora.get("/")
    assert home.status_code == 200 and "Devices cannot be shown just now" in words(home) and "comfort" in words(home)
    dora.world.platform.peers.away.add("app_controller")
    page = dora.get("/apps/dora/comfort")
    assert page.status_code == 503 and 'name="berth-again"' in page.text and page.headers["x-correlation"] in page.text


def test_what_is_written_by_others_is_only_text(dora: Visitor) -> None:
    page = dora.get('/jump?q=<script>alert(1)</script>')
    assert "<script>alert" not in page.text and "&lt;script&gt;" in page.text


# -- an upload --------------------------------------------------------------------------------------------------------------


def test_problems_stand_beside_their_lines_and_the_corrected_manifest_passes(dora: Visitor) -> None:
    answer = dora.send(zipped({"berth.yml": BAD, "app.py": "x"}), "comfort-1.3.0.zip")
    assert answer.status_code == 422 and answer.json()["said"] == "3 problems in berth.yml"
    href = answer.json()["href"]
    page = dora.get(href)
    assert "3 problems to fix in comfort-1.3.0.zip" in words(page)
    for line, fixed in ((2, "comfort"), (6, "python"), (10, "/healthz")):
        at = page.text.index(f'<div class="ln bad" id="L{line}">')
        assert fixed in re.sub(r"<[^>]+>", "", page.text[at:].split('class="b-fix"')[0].split("ln ins")[1])
    corrected = dora.get(f"{href}/berth.yml")
    assert read_manifest(corrected.text, files=["app.py"], kinds=[]).name == "comfort"
    assert "berth.yml:2: name:" in html.unescape(page.text)


def test_a_broken_zip_says_all_that_is_wrong_with_it(dora: Visitor) -> None:
    answer = dora.send(b"this is no zip", "notes.zip")
    page = dora.get(answer.json()["href"])
    assert answer.status_code == 422 and "Zip is not sound" in words(page) and "notes.zip" in words(page)


def test_findings_are_only_shown_to_who_sent_the_zip(world: MemoryWorld, dora: Visitor) -> None:
    href = dora.send(b"no zip").json()["href"]
    ada = Visitor(world)
    ada.login("admin")
    assert ada.get(href).status_code == 404


def test_an_upload_becomes_an_app_behind_its_link(dora: Visitor) -> None:
    device(dora)
    sent = dora.send(comfort())
    assert sent.status_code == 201 and sent.json()["said"] == "Accepted as release 1.0.0 of comfort"
    assert dora.send(comfort()).json()["said"].startswith("The same bytes are release")
    release = sent.json()["href"]
    assert "Deploy" in words(dora.get(release))
    where = dora.post(f"{release}/deploy").headers["location"]
    dora.world.pass_time(8)
    page = words(dora.get(where))
    assert "RUNNING" in page and "healthy" in page and "https://apps.memory/dora/comfort/" in page
    assert "hq/floor-1/room-101/temperature" in page
    assert "Nothing needs you" in words(dora.get("/"))


def test_a_shortage_names_the_place_and_what_serves_meanwhile(dora: Visitor) -> None:
    where = deployed(dora)
    release = re.findall(r'href="(/releases/[^"#]+)"', dora.get(where).text)[0]
    dora.get(release)
    again = dora.post(f"{release}/deploy", **{"where.temperature": "hq/attic/**"}).headers["location"]
    assert again == where
    dora.world.pass_time(2)
    page = words(dora.get(where))
    assert "hq/attic/**" in page and "g1" in page and "healthy" in page
    home = words(dora.get("/"))
    assert "is short of sensors" in home and "g1 still serves" in home


def test_a_wrong_wish_is_said_beside_the_form_and_changes_nothing(dora: Visitor) -> None:
    where = deployed(dora)
    release = re.findall(r'href="(/releases/[^"#]+)"', dora.get(where).text)[0]
    dora.get(release)
    answer = dora.post(f"{release}/deploy", **{"instances.web": "many"})
    assert answer.status_code == 422 and "whole number" in words(answer) and "nothing was changed" in words(answer)


def test_destroying_asks_by_name_and_then_does_it(dora: Visitor) -> None:
    where = deployed(dora)
    assert "Destroy the deployment comfort?" in words(dora.get(where)) and "Stop comfort?" in words(dora.get(where))
    assert dora.post(f"{where}/stop").headers["location"] == where
    assert "Stopping" in words(dora.get(where))
    dora.world.pass_time(15)
    assert "STOPPED" in words(dora.get(where))
    assert dora.post(f"{where}/destroy").headers["location"] == "/apps/dora/comfort"
    dora.world.pass_time(5)
    assert dora.get(where).status_code == 404 and "Not deployed" in words(dora.get("/apps/dora/comfort"))


# -- devices ----------------------------------------------------------------------------------------------------------------


def test_a_device_gets_its_token_once_and_a_line_that_works(dora: Visitor) -> None:
    page = device(dora)
    token = re.search(r'id="token">([^<]+)<', page.text)
    line = html.unescape(re.search(r'id="curl">([^<]+)<', page.text)[1])  # type: ignore[index]
    assert token is not None and f"Bearer {token[1]}" in line and f"{HOME}/api/v1/readings" in line
    body = json.loads(re.search(r"-d '(.*)'", line)[1])  # type: ignore[index]
    got = dora.world.ask("POST", "/readings", token[1], json=body)
    assert got.status == 200 and got.json["accepted"] == 1
    dora.world.pass_time(1)
    href = re.search(r'action="(/devices/[^"]+)/token"', page.text)[1]  # type: ignore[index]
    seen = dora.get(href)
    assert "21.4" in words(seen) and token[1] not in seen.text and "online" in words(seen)
    assert "21.4" in words(dora.get("/devices")) and "21.4" in words(dora.get("/"))
    again = dora.post(f"{href}/token")
    assert 'id="token"' in again.text
    dora.world.pass_time(1)
    assert dora.world.ask("POST", "/readings", token[1], json=body).status == 401


def test_a_devices_form_says_what_does_not_fit_beside_its_fields(dora: Visitor) -> None:
    dora.get("/devices/new")
    answer = dora.post("/devices/new", name="Room 1", place="hq//x", kind=["temperature"], key=["a b"])
    assert answer.status_code == 422 and "The device was not added" in words(answer)
    assert {'href="#f-name"', 'href="#f-place"', 'href="#f-sensors-0-key"'} <= set(re.findall(r'href="#f-[^"]+"', answer.text))
    assert 'value="Room 1"' in answer.text


def test_deleting_a_device_takes_it_from_the_list(dora: Visitor) -> None:
    href = re.search(r'action="(/devices/[^"]+)/delete"', device(dora).text)[1]  # type: ignore[index]
    assert dora.post(f"{href}/delete").headers["location"] == "/devices"
    page = words(dora.get("/devices"))
    assert "The device is gone" in page and "No device yet" in page


# -- live -------------------------------------------------------------------------------------------------------------------


def test_news_are_the_parts_of_the_page(dora: Visitor) -> None:
    where = deployed(dora)
    told = dora.news(f"/news{where}", 2)
    ids = {id for news in told for id in news.get("parts", {})}
    page = dora.get(where).text
    assert ids and {id for id in ids if f'id="{id}"' in page} >= {id for id in ids if id.startswith(("steps-", "lead-", "p-"))}
    for path, page in (("/news/home", "/"), ("/news/apps", "/apps"), ("/news/apps/dora/comfort", "/apps/dora/comfort")):
        (first,) = dora.news(path)
        text = dora.get(page).text
        assert [id for id in first["parts"] if f'id="{id}"' in text], path


def test_a_value_is_told_with_its_point_for_the_chart(dora: Visitor) -> None:
    page = device(dora)
    token = re.search(r'id="token">([^<]+)<', page.text)[1]  # type: ignore[index]
    href = re.search(r'action="(/devices/[^"]+)/token"', page.text)[1]  # type: ignore[index]
    dora.world.ask("POST", "/readings", token, json={"sensor_id": "temperature", "value": 22.5})
    dora.world.pass_time(1)
    told = dora.news(f"/news{href}", 2)
    assert any("22.5" in html for news in told for html in news.get("parts", {}).values())
    assert [p["v"] for news in told for p in news.get("points", [])] == [22.5]


def test_the_builds_log_is_told_line_by_line(dora: Visitor) -> None:
    release = dora.send(comfort()).json()["href"]
    dora.world.pass_time(2)
    lines: list[Any] = []
    for most in range(1, 12):
        lines = [line for news in dora.news(f"/news{release}", most) for line in news.get("lines", [])]
        if len(lines) > 1:
            break
    assert [line["n"] for line in lines[:2]] == [1, 2] and all(line["text"] for line in lines)


def test_news_need_a_session(world: MemoryWorld) -> None:
    visitor = Visitor(world)
    assert visitor.client.get("/news/home").status_code == 401
    assert visitor.send(b"PK").status_code == 401


def test_files_are_kept_for_good_by_their_version(dora: Visitor) -> None:
    (sheet,) = re.findall(r'href="(/static/berth.css\?v=[0-9a-f]+)"', dora.get("/").text)
    answer = dora.client.get(sheet)
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    assert dora.client.get("/static/../store.py").status_code == 404
