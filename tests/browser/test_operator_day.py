"""An operator's and an administrator's first day, in a real browser: all is well, a restart, its incident, its lines, the nodes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Ground, login
from tests.browser.test_first_day import WIDTHS, serious
from tests.support import npm

pytestmark = pytest.mark.browser
PART = "sensor_manager streams"
REPLACED = 90_000
NEXT = "() => new Promise((done) => addEventListener('berth:figures', () => setTimeout(done), { once: true }))"
STAFF = ("/", "/subsystems", "/incidents", "/nodes", "/logs", "/logs?level=error&order=newest", "/people", "/nowhere")


def restarted(page: Page) -> str:
    """The incident of the restart that was asked for."""
    page.goto("/subsystems")
    page.get_by_role("button", name=re.compile(f"Restart {PART}")).first.click()
    asked = page.get_by_role("dialog")
    expect(asked).to_contain_text(f"Restart {PART}?")
    expect(asked).to_contain_text("nothing acknowledged is lost")
    expect(asked.get_by_role("button", name="Leave it running")).to_be_focused()
    asked.get_by_role("button", name=f"Restart {PART}").click()
    page.wait_for_url("**/incidents/*")
    return page.url


def test_an_operator_sees_all_well_restarts_a_part_and_follows_it_to_its_lines(page: Page, ground: Ground) -> None:
    login(page, ground, "otto")
    expect(page.locator("#p-platform")).to_contain_text("replicas ready")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/subsystems")
    expect(page.locator("#live")).to_have_text("Live")
    rows = page.locator("#p-subs-rows tr")
    row = rows.filter(has_text=re.compile(r"sensor_manager\s+streams"))
    expect(row).to_contain_text("ready")
    expect(row.locator(".b-beats i").nth(2)).to_be_visible()
    before = row.locator("button").get_attribute("data-action")
    expect(page.locator("#p-backing tr").filter(has_text="Kafka")).to_contain_text("up")

    restarted(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"otto restarts {PART}")
    expect(page.locator("#p-inc-steps li").first).to_contain_text("ordered that replica")
    expect(page.locator("#p-inc-state")).to_contain_text("closed", timeout=REPLACED)
    expect(page.locator("#p-inc-about")).to_contain_text("Successor")
    steps = page.locator("#p-inc-steps li")
    assert steps.count() >= 3 and steps.last.locator("xpath=.").get_attribute("data-s") == "ok"
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#p-inc-about")).to_contain_text("otto")

    page.get_by_role("link", name="All lines of that time").click()
    page.wait_for_url("**/logs?*")
    page.keyboard.press("f")
    page.keyboard.type("incident_")
    page.keyboard.press("Enter")
    page.wait_for_url("**text=incident_*")
    lines = page.locator("[data-rows] .b-line")
    expect(lines.filter(has_text="incident_").first).to_be_visible()
    lines.filter(has_text="incident_").first.click()
    details = page.locator("[data-details]")
    expect(details).to_contain_text("monitor")
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()

    page.goto("/subsystems")
    expect(row).to_contain_text("ready")
    assert row.locator("button").get_attribute("data-action") != before, "another replica serves"


def logged_in(page: Page, ground: Ground, name: str) -> None:
    """Somebody else, in a browser of their own."""
    assert page.context.browser
    other = page.context.browser.new_context(base_url=ground.url)
    login(other.new_page(), ground, name)
    other.close()


def test_lines_come_as_they_are_printed_wait_while_paused_and_lead_to_their_action(page: Page, ground: Ground) -> None:
    login(page, ground, "otto")
    page.goto("/logs?text=logged_in")
    expect(page.locator("#live")).to_have_text("Live")
    lines = page.locator("[data-rows] .b-line")
    logged_in(page, ground, "dora")
    expect(lines.last).to_contain_text("dora")
    shown = lines.count()
    page.keyboard.press("Space")
    expect(page.locator("#live")).to_contain_text("Paused at")
    logged_in(page, ground, "uma")
    expect(page.locator("[data-wait]")).to_contain_text("new line")
    assert lines.count() == shown
    page.keyboard.press("Space")
    expect(lines.last).to_contain_text("uma")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    details = page.locator("[data-details]")
    expect(details).to_contain_text("uma")
    expect(page.locator("#live")).to_contain_text("Paused at")
    id = details.locator("[data-f=correlation]").inner_text()
    details.get_by_role("link", name="Lines of this id").click()
    page.wait_for_url(f"**/logs?correlation={id}*")
    expect(page.locator(".b-chip.on")).to_contain_text(id)
    expect(page.locator("[data-rows] .b-line").filter(has_text="logged_in")).to_have_count(1)
    page.keyboard.press("f")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("service=nobody_at_all")
    page.keyboard.press("Enter")
    page.wait_for_url("**service=nobody_at_all*")
    expect(page.locator("[data-none]")).to_contain_text("Drop a filter")


def test_a_nodes_figures_go_on_while_one_looks(page: Page, ground: Ground) -> None:
    login(page, ground, "otto")
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.wait_for_url("**/nodes")
    card = page.locator("section[id^=node-]").first
    expect(card).to_contain_text("cores")
    card.locator("a.b-name").click()
    page.wait_for_url("**/nodes/*")
    expect(page.locator(".b-chart canvas")).to_have_count(page.locator("[data-figures]").count())
    page.evaluate(NEXT)
    assert page.evaluate("document.querySelector('[data-figures=cpu]').chart.series[0].data.at(-1)") is not None
    expect(page.locator("#p-node-firewall")).to_contain_text("stand")
    expect(page.locator("#rows tr").first).to_be_visible()
    page.get_by_role("link", name="24 h").click()
    page.wait_for_url("**span=24h")
    expect(page.locator(".b-chart canvas").first).to_be_visible()


def test_an_administrator_sees_who_may_what(page: Page, ground: Ground) -> None:
    login(page, ground, "ada")
    page.get_by_role("link", name="People and roles").first.click()
    page.wait_for_url("**/people")
    expect(page.locator("#rows tr").filter(has_text="dora@")).to_contain_text("developer")
    page.keyboard.press("f")
    page.keyboard.type("otto")
    expect(page.locator("#rows tr:visible")).to_have_count(1)
    expect(page.locator("main")).to_contain_text("What the groups give")


@pytest.mark.parametrize("width", WIDTHS)
def test_every_staff_page_can_be_reached_by_everybody(page: Page, ground: Ground, width: int) -> None:
    """axe-core finds nothing serious in either theme, and no page scrolls sideways."""
    axe = npm.axe()
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    login(page, ground, "ada")
    page.goto("/nodes")
    node = page.locator("main a.b-name").first.get_attribute("href") or ""
    found = {}
    for path in (*STAFF, node, *incidents(page)):
        page.goto(path)
        page.wait_for_load_state("load")
        found[path] = serious(page, axe)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto("/logs?order=newest")
    page.locator(".b-line").first.click()
    found["a line"] = serious(page, axe)
    assert not {path: problems for path, problems in found.items() if problems}


def incidents(page: Page) -> list[str]:
    """The newest one's page, where there is one."""
    page.goto("/incidents")
    first = page.locator("#p-incidents a.b-name").first
    return [first.get_attribute("href") or ""] if first.count() else []
