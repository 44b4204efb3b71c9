"""A developer's further days and a user's first, in a real browser: another release, back again, more instances, lines and figures live."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Ground, login
from tests.browser.test_first_day import WIDTHS, add_device, delete, destroy, serious
from tests.scenarios.story import comfort, new_name
from tests.scenarios.world import zipped
from tests.support import npm

pytestmark = pytest.mark.browser
RUNS = 90_000
TABS = ("", "/deployments", "/releases", "/logs", "/logs?of=build", "/figures", "/figures?span=1d", "/settings")


def talking(app: str, place: str, version: str) -> bytes:
    """The sample app, saying what it is asked for: its probe alone makes a line each second."""
    files = comfort(app, f"{place}/**")
    code, manifest = (t if isinstance(t := files[name], str) else t.decode() for name in ("app.py", "berth.yml"))
    head = re.search(r"def respond\(.*?\) -> Answer:\n", code)
    assert head is not None
    said = f'    print("{app} {version} is asked for", path)\n'
    manifest = manifest.replace("version: 1.0.0", f"version: {version}")
    return zipped({**files, "app.py": code.replace(head[0], head[0] + said), "berth.yml": manifest})


def send(page: Page, body: bytes) -> None:
    page.goto("/upload")
    page.set_input_files("#zip", {"name": "app.zip", "mimeType": "application/zip", "buffer": body})
    page.wait_for_url("**/releases/*")
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.wait_for_url("**/deployments/*")


def runs(page: Page, generation: int, version: str) -> None:
    state = page.locator("[id^=state-]")
    expect(state).to_contain_text(f"g{generation}", timeout=RUNS)
    expect(state).to_contain_text("RUNNING", timeout=RUNS)
    expect(page.locator("[id^=serving-]")).to_contain_text(re.compile(rf"g{generation}\s*{re.escape(version)}\s*healthy"))


def test_another_release_back_again_and_more_instances(page: Page, ground: Ground) -> None:
    login(page, ground)
    app, name = new_name("comfort"), new_name("node")
    add_device(page, name, f"browser/{name}")
    send(page, talking(app, f"browser/{name}", "1.0.0"))
    runs(page, 1, "1.0.0")
    send(page, talking(app, f"browser/{name}", "1.1.0"))
    runs(page, 2, "1.1.0")

    page.goto(f"/apps/dora/{app}")
    page.get_by_role("button", name="Scale", exact=True).click()
    asked = page.get_by_role("dialog")
    asked.get_by_label("Instances of web").fill("2")
    asked.get_by_role("button", name="Scale").click()
    page.wait_for_url("**/deployments/*")
    runs(page, 3, "1.1.0")
    expect(page.locator("[id^=p-instances-] tr").filter(has_text="healthy")).to_have_count(2)

    page.goto(f"/apps/dora/{app}/releases")
    page.get_by_role("button", name="Roll back: 1.0.0").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text(f"Roll {app} back to 1.0.0?")
    expect(asked.get_by_role("button", name="Leave it")).to_be_focused()
    asked.get_by_role("button", name="Roll back to 1.0.0").click()
    page.wait_for_url("**/deployments/*")
    runs(page, 4, "1.0.0")
    expect(page.locator("[id^=serving-]")).to_contain_text("2 of 2")

    page.goto(f"/apps/dora/{app}/figures")
    row = page.locator("[id^=p-instances-] tr").filter(has_text="healthy").first
    expect(row.locator("[id^=cpu-]")).to_contain_text("%")
    expect(row.locator("[id^=memory-]")).to_contain_text("of 128 MiB")
    chart = page.locator("[data-figures=memory]")
    expect(chart.locator("canvas")).to_be_visible()
    expect(chart.locator(".u-legend")).to_contain_text(re.compile(r"[\d.]+\s*MiB"))

    page.goto(f"/apps/dora/{app}/logs")
    lines = page.locator("[data-rows] .b-line").filter(has_text=f"{app} 1.0.0 is asked for")
    expect(lines.first).to_be_visible()
    seen = lines.count()
    expect(lines.nth(seen)).to_be_visible()

    page.goto(f"/apps/dora/{app}/settings")
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=f"Stop {app}").click()
    page.wait_for_url("**/deployments/*")
    expect(page.locator("[id^=state-]")).to_contain_text("STOPPED", timeout=RUNS)
    page.goto(f"/apps/dora/{app}/settings")
    page.get_by_role("button", name="Start again").click()
    page.wait_for_url("**/deployments/*")
    runs(page, 6, "1.0.0")
    destroy(page, app)
    page.goto("/devices")
    page.get_by_role("link", name=name).click()
    delete(page, name)


def test_a_user_opens_an_app_and_sees_nothing_else(page: Page, ground: Ground) -> None:
    login(page, ground)
    app, name = new_name("door"), new_name("node")
    add_device(page, name, f"browser/{name}")
    send(page, talking(app, f"browser/{name}", "1.0.0"))
    runs(page, 1, "1.0.0")
    where = page.url
    page.get_by_role("button", name="Log out").click()

    login(page, ground, "ugo")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello, Ugo")
    door = page.locator("#p-doors section").filter(has=page.get_by_role("heading", name=app))
    link = door.get_by_role("link", name=f"Open {app}").get_attribute("href")
    assert link and link.endswith(f"/dora/{app}/")
    expect(page.locator(".b-side .b-nav")).to_have_text(["Home", "Apps"])
    page.goto(where)
    page.wait_for_url(f"**/apps/dora/{app}")
    expect(page.get_by_role("button", name=re.compile("Destroy|Scale|Stop"))).to_have_count(0)
    if ground.real:
        shown = page.context.new_page()
        answer = shown.goto(link)
        assert answer is not None and answer.status == 200
        shown.close()
    page.get_by_role("button", name="Log out").click()

    login(page, ground)
    page.goto(where)
    destroy(page, app)
    page.goto("/devices")
    page.get_by_role("link", name=name).click()
    delete(page, name)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_part_of_an_app_can_be_reached_by_everybody(page: Page, ground: Ground, width: int) -> None:
    """axe-core finds nothing serious in either theme, and no page scrolls sideways."""
    axe = npm.axe()
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    login(page, ground)
    app, name = new_name("looked-at"), new_name("node")
    add_device(page, name, f"browser/{name}")
    send(page, talking(app, f"browser/{name}", "1.0.0"))
    runs(page, 1, "1.0.0")
    where = page.url
    found = {}
    for path in (*(f"/apps/dora/{app}{tab}" for tab in TABS), where):
        page.goto(path)
        page.wait_for_load_state("load")
        found[path] = serious(page, axe)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    for who, paths in (("ugo", ("/", "/apps", f"/apps/dora/{app}")), ("dora", ())):
        page.context.clear_cookies()
        login(page, ground, who)
        for path in paths:
            page.goto(path)
            found[f"{who} {path}"] = serious(page, axe)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(where)
    destroy(page, app)
    page.goto("/devices")
    page.get_by_role("link", name=name).click()
    delete(page, name)
    assert not {path: problems for path, problems in found.items() if problems}
