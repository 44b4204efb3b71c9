"""A first day, in a real browser: from the login to an app behind its link, fed by a device of one's own."""

from __future__ import annotations

import base64
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Ground, login
from tests.scenarios.story import comfort, new_name
from tests.scenarios.world import zipped
from tests.support import npm

pytestmark = pytest.mark.browser
BAD = """\
berth: 1
name: Comfort
version: 1.0.0
services:
  web:
    runtime: pyhton
    command: python app.py
    port: 8000
    public: true
"""
MISTAKES = {"name": "mistakes.zip", "mimeType": "application/zip", "buffer": zipped({"berth.yml": BAD, "app.py": "x"})}
WIDTHS = (390, 1440)
THEMES = ("light", "dark")
DROP = """async ([name, bytes]) => {
  const data = new DataTransfer(), raw = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
  data.items.add(new File([raw], name, { type: "application/zip" }));
  for (const type of ["dragenter", "dragover", "drop"])
    dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def drop(page: Page, name: str, body: bytes) -> None:
    """As a hand does it, anywhere on the page."""
    page.evaluate(DROP, [name, base64.b64encode(body).decode()])


def add_device(page: Page, name: str, place: str) -> str:
    page.goto("/devices/new")
    page.fill("#f-name", name)
    page.fill("#f-place", place)
    page.get_by_role("button", name="Another sensor").click()
    page.locator("[data-row] select").nth(1).select_option("co2")
    page.get_by_role("button", name="Add device").click()
    line = page.locator("#curl").inner_text()
    assert page.locator("#token").inner_text() in line
    return line


def curl(page: Page, line: str, folder: Path, value: float) -> None:
    """The line exactly as it stands on the page, with another value."""
    if "--cacert" in line and not (folder / "ca.crt").exists():
        with page.expect_download() as coming:
            page.get_by_role("link", name="ca.crt").click()
        coming.value.save_as(folder / "ca.crt")
    told = re.sub(r'"value": [\d.]+', f'"value": {value}', line)
    words = ["bash", "-c", f"{told} -sS --fail-with-body"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0 and '"accepted":1' in done.stdout.replace(" ", ""), done.stdout + done.stderr


def destroy(page: Page, app: str) -> None:
    page.get_by_role("button", name="Destroy").click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text(f"Destroy the deployment {app}?")
    asked.get_by_role("button", name=f"Destroy {app}").click()
    page.wait_for_url(f"**/apps/dora/{app}")


def delete(page: Page, device: str) -> None:
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name=f"Delete {device}").click()
    page.wait_for_url("**/devices")


def test_a_wrong_password_then_the_right_one(page: Page, ground: Ground) -> None:
    page.goto("/devices")
    page.fill("#u", "dora")
    page.fill("#p", "certainly-wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Name or password is wrong")
    expect(page.locator("#p")).to_be_focused()
    page.fill("#p", ground.passwords["dora"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/devices")
    cookie = next(c for c in page.context.cookies() if c["name"] in ("__Host-berth", "berth-plain"))
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and cookie["secure"] == ground.url.startswith("https")


def test_from_a_zip_with_mistakes_to_an_app_that_hears_its_sensor(page: Page, ground: Ground, tmp_path: Path) -> None:
    login(page, ground)
    app, name = new_name("comfort"), new_name("node")
    place = f"browser/{name}"

    line = add_device(page, name, place)
    expect(page.locator("#p-heard")).to_contain_text("Nothing heard yet")
    curl(page, line, tmp_path, 21.4)
    expect(page.locator("#p-heard")).to_contain_text("temperature = 21.4")
    expect(page.locator("#p-presence")).to_contain_text("online")

    page.goto("/upload")
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose a file").click()
    chosen.value.set_files(MISTAKES)  # type: ignore[arg-type]
    page.wait_for_url("**/uploads/*")
    expect(page.get_by_role("heading", level=1)).to_contain_text("2 problems to fix in mistakes.zip")
    page.keyboard.press("j")
    expect(page.locator("#p1")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("#p2")).to_be_focused()
    expect(page.locator(".ln.bad")).to_have_count(2)
    expect(page.locator(".ln.ins").last).to_contain_text("runtime: python")

    drop(page, "comfort.zip", zipped(comfort(app, f"{place}/**")))
    page.wait_for_url("**/releases/*")
    expect(page.locator("#log-lines .b-line").first).to_be_visible()
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.wait_for_url("**/deployments/*")
    expect(page.locator("[id^=state-]")).to_contain_text("RUNNING", timeout=90_000)
    expect(page.locator("[id^=serving-]")).to_contain_text("healthy")
    expect(page.locator("[id^=bindings-]")).to_contain_text(f"{place}/temperature")
    link = page.get_by_role("link", name="Open app").get_attribute("href")
    assert link and f"/{app}/" in link
    if ground.real:
        shown = page.context.new_page()
        answer = shown.goto(link)
        assert answer is not None and answer.status == 200
        expect(shown.locator("body")).to_contain_text("21.4")

    destroy(page, app)
    page.goto("/devices")
    page.get_by_role("link", name=name).click()
    delete(page, name)


def test_values_change_on_the_page_while_one_looks(page: Page, ground: Ground, tmp_path: Path) -> None:
    login(page, ground)
    name = new_name("node")
    line = add_device(page, name, f"browser/{name}")
    curl(page, line, tmp_path, 20.5)
    page.get_by_role("link", name="I have kept it").click()
    expect(page.locator("#live")).to_have_text("Live")
    value = page.locator("td[id^=value-]").first
    expect(value).to_contain_text("20.5")
    curl(page, line, tmp_path, 23.25)
    expect(value).to_contain_text("23.2")
    page.reload()
    expect(page.locator(".b-chart canvas").first).to_be_visible()
    page.goto("/devices")
    page.fill("#q", name)
    row = page.locator("#rows tr:visible")
    expect(row).to_have_count(1)
    curl(page, line, tmp_path, 24.5)
    expect(row).to_contain_text("24.5")
    page.locator("#rows a:visible").first.click()
    delete(page, name)
    expect(page.locator("main")).to_contain_text("The device is gone")


def test_keys_and_the_palette_go_where_they_say(page: Page, ground: Ground) -> None:
    login(page, ground)
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/devices")
    page.keyboard.press("u")
    page.wait_for_url("**/upload")
    page.keyboard.press("/")
    expect(page.locator("#jump-to")).to_be_focused()
    page.keyboard.type("apps")
    expect(page.locator("#jump-found a")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/apps")
    before = page.locator("html").get_attribute("data-bs-theme")
    page.keyboard.press("t")
    expect(page.locator("html")).not_to_have_attribute("data-bs-theme", before or "")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_can_be_reached_by_everybody(page: Page, ground: Ground, width: int) -> None:
    """axe-core finds nothing serious in either theme, and no page scrolls sideways."""
    axe = npm.axe()
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/login")
    found = {"/login": serious(page, axe)}
    login(page, ground)
    name, app = new_name("node"), new_name("looked-at")
    some = things(page, name, app)
    for path in ("/", "/apps", "/upload", "/devices", "/devices/new", "/nowhere", *some):
        page.goto(path)
        page.wait_for_load_state("load")
        found[path] = serious(page, axe)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(some[-2])
    destroy(page, app)
    page.goto(some[0])
    delete(page, name)
    assert not {path: problems for path, problems in found.items() if problems}


def things(page: Page, name: str, app: str) -> list[str]:
    """The pages of a device, an upload with mistakes, a release, its deployment and its app."""
    add_device(page, name, f"browser/{name}")
    page.get_by_role("link", name="I have kept it").click()
    device = page.url
    page.goto("/upload")
    page.set_input_files("#zip", MISTAKES)  # type: ignore[arg-type]
    page.wait_for_url("**/uploads/*")
    problems = page.url
    body = zipped(comfort(app, f"browser/{name}"))
    page.set_input_files("#zip", {"name": "app.zip", "mimeType": "application/zip", "buffer": body})
    page.wait_for_url("**/releases/*")
    release = page.url
    page.get_by_role("button", name="Deploy", exact=True).click()
    page.wait_for_url("**/deployments/*")
    return [device, problems, release, page.url, f"/apps/dora/{app}"]


def serious(page: Page, axe: str) -> list[str]:
    page.evaluate(axe)
    found = []
    for theme in THEMES:
        page.evaluate("(theme) => { document.documentElement.dataset.bsTheme = theme; }", theme)
        told: Any = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        worse = [v for v in told["violations"] if v["impact"] in ("serious", "critical")]
        found += [f"{theme}: {v['id']}: {n['html'][:160]} {n.get('failureSummary', '')[:200]}" for v in worse for n in v["nodes"]]
    return found
