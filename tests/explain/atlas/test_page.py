"""The atlas in a real browser, opened from the disk: by mouse, by finger, by keyboard, and with nothing fetched."""

from __future__ import annotations

import base64
import csv
import json
import re

import numpy as np
import pytest

from cutis.explain.atlas.page import page_data, render
from cutis.explain.atlas.sheets import write_sheets
from factories import a_case, a_chart, a_picture, a_taxonomy

PLANTED = '</script><script>document.title = "planted"</script>'
ABOUT = {
    "name": "invented",
    "about": "60 test pictures.",
    "settings": "t-SNE.",
    "shown_map": "All depths joined.",
    "source": PLANTED,
    "licence": "CC0-1.0",
    "invented": False,
}


def _write(folder, chart):
    folder.mkdir(exist_ok=True)
    sheets = write_sheets(folder / "atlas", lambda _: a_picture(width=64, height=48), chart.cases, chart.last.places)
    data = page_data(chart, sheets, name="invented", taxonomy=a_taxonomy(), cluster_kind="patient")
    (folder / "atlas.html").write_text(render(ABOUT | {"count": str(len(chart.cases))}, data), encoding="utf-8")
    return (folder / "atlas.html").as_uri()


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """A page of sixty cases, one of them with a name that would break a page or a spreadsheet."""
    chart = a_chart()
    people = list(chart.cast.laid_out)
    people[7] = a_case(7, case_id=f"=1+1,{PLANTED}", diagnosis="b", device='"A", <b>', cluster_id="patient0003")
    return _write(tmp_path_factory.mktemp("atlas"), a_chart(cast=chart.cast._replace(laid_out=tuple(people))))


@pytest.fixture
def page(chromium, address):
    """The page on a screen; whatever it asks for or stumbles over is remembered."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    opened = context.new_page()
    opened.asked, opened.errors = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.on("console", lambda said: opened.errors.append(said.text))
    opened.goto(address)
    _wait(opened, "document.getElementById('shown').textContent")
    yield opened
    assert opened.errors == []
    context.close()


def _place(page, row):
    """Where a case is on the screen, by what the page was given and how it shows all of it."""
    box = page.locator("#map").bounding_box()
    data = json.loads(page.locator("#data").text_content())
    x, y = (np.frombuffer(base64.b64decode(data["depths"][-1][axis]), "<u2").astype(float) for axis in "xy")
    scale = min((box["width"] - 48) / np.ptp(x), (box["height"] - 48) / np.ptp(y))
    return (
        box["x"] + box["width"] / 2 + (x[row] - (x.min() + x.max()) / 2) * scale,
        box["y"] + box["height"] / 2 - (y[row] - (y.min() + y.max()) / 2) * scale,
    )


def _wait(page, what):
    """Ask until it is so; the page's own policy forbids the driver to wait inside of it."""
    for _ in range(200):
        if page.evaluate(what):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {what}")


def _saved(download):
    """The rows of a CSV that was downloaded."""
    with download.path().open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _is_drawn(page, name):
    """Whether a picture came: the canvas of one is as large as its picture."""
    _wait(page, f"document.getElementById('{name}').style.width !== ''")
    return page.locator(f"#{name}").bounding_box()["width"] > 100


def test_it_opens_from_the_disk_and_asks_nobody_else(page):
    """Every request is for a file beside the page; names from data are words, never code."""
    page.hover("#map", position={"x": 200, "y": 200})
    page.fill("#search", "=1+1")
    page.keyboard.press("Enter")

    assert all(url.startswith("file:") for url in page.asked)
    assert page.title() == "Atlas of invented"
    assert page.inner_text("#case-name") == f"=1+1,{PLANTED}"
    assert PLANTED in page.inner_text("footer")
    assert "pictures of patients" in page.inner_text("header")


def test_a_policy_forbids_what_the_page_does_not_need(page):
    """No other script runs, and no address outside is asked."""
    page.errors.clear()
    page.evaluate("fetch('https://planted.invalid/').catch(() => {})")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'document.title = 1'}))")

    assert page.title() == "Atlas of invented"
    refused = [said for said in page.errors if "Content Security Policy" in said]
    assert any("planted.invalid" in said for said in refused)
    assert any("inline script" in said for said in refused)
    page.errors.clear()


def test_hovering_shows_the_picture_and_a_click_opens_it_with_its_neighbours(page):
    """The case under the pointer, its facts, its map, and eight cases that one can go on to."""
    page.mouse.move(*_place(page, 30))

    assert page.is_visible("#tip")
    assert _is_drawn(page, "tip-picture")
    assert page.inner_text("#tip-words") == "disease a"
    page.mouse.click(*_place(page, 30))
    assert page.inner_text("#case-name") == "case0030"
    assert _is_drawn(page, "case-picture")
    facts = page.inner_text("#facts")
    assert re.search(r"Diagnosis\s+disease a", facts)
    assert re.search(r"Probability\s+0\.80", facts)
    assert page.locator("#neighbours button").count() == 8
    neighbour = page.locator("#neighbours b").first.inner_text()
    page.locator("#neighbours button").first.click()
    assert page.inner_text("#case-name") == neighbour
    assert page.evaluate("document.activeElement.id") == "case-name"


def test_the_map_of_the_answer_lies_over_the_picture_and_can_be_taken_off(page):
    """What is seen differs."""
    page.mouse.click(*_place(page, 30))
    _is_drawn(page, "case-picture")
    page.wait_for_timeout(200)

    with_map = page.locator("#case-picture").screenshot()
    page.uncheck("#with-map")
    page.wait_for_timeout(200)

    assert page.locator("#case-picture").screenshot() != with_map


def test_the_legend_filters_and_says_what_is_left(page):
    """Nothing left is said, too, and all comes back; a filter stays when the colour changes."""
    page.uncheck("#legend li:nth-child(1) input")
    assert page.inner_text("#shown") == "40 of 60 cases are shown."

    page.mouse.move(*_place(page, 30))
    assert not page.is_visible("#tip")
    page.select_option("#colour", label="Right or wrong")
    assert page.inner_text("#filtered") == "Also filtered by diagnosis."
    for box in page.locator("#legend input").all():
        box.uncheck()
    assert "0 of 60 cases are shown. Nothing is left" in page.inner_text("#shown")
    page.click("#fit")
    page.click("#in-view")
    assert page.is_hidden("#group")
    page.click("#everything")
    assert page.inner_text("#shown") == "60 of 60 cases are shown."


def test_a_lasso_gathers_a_group_that_is_counted_and_saved(page):
    """Its cases by diagnosis with their shares, and a CSV of them in which no name is a formula."""
    page.check("#lasso")
    near = [_place(page, row) for row in range(0, 60, 3)]
    left, right = (edge([x for x, _ in near]) for edge in (min, max))
    upper, lower = (edge([y for _, y in near]) for edge in (min, max))
    page.mouse.move(left - 9, upper - 9)
    page.mouse.down()
    for corner in ((right + 9, upper - 9), (right + 9, lower + 9), (left - 9, lower + 9)):
        page.mouse.move(*corner, steps=5)
    page.mouse.up()

    assert page.inner_text("#group-count") == "20 cases, 4 answered wrongly"
    assert page.locator("#group-table tbody tr").all_inner_texts() == ["disease a\t20\t100 %\t33 %"]
    assert page.locator("#group-list button").count() == 20
    with page.expect_download() as waiting:
        page.click("#export")
    rows = _saved(waiting.value)
    assert [row["case_id"] for row in rows] == [f"case{number:04d}" for number in range(0, 60, 3)]
    assert {row["truth"] for row in rows} == {"disease a"}
    assert rows[0]["depth"] == "Last hidden layer"
    page.keyboard.press("Tab")
    page.click("#in-view")
    with page.expect_download() as waiting:
        page.click("#export")
    names = [row["case_id"] for row in _saved(waiting.value)]
    assert f"'=1+1,{PLANTED}" in names
    assert len(names) == 60


def test_all_of_it_can_be_done_by_keyboard(page):
    """Tab reaches every control; on the map keys move, zoom, open a case and walk on to the next."""
    names = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        names.add(page.evaluate("document.activeElement.id"))
    assert names >= {"search", "depth", "colour", "everything", "rings", "nearer", "reset", "fit", "in-view", "map"}
    page.focus("#map")
    before = page.locator("#map").screenshot()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(100)
    assert page.locator("#map").screenshot() != before
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    opened = page.inner_text("#case-name")
    assert opened
    assert opened in page.inner_text("#said")
    page.keyboard.press("Shift+ArrowRight")
    assert page.inner_text("#case-name") != opened
    page.keyboard.press("Escape")
    assert page.is_hidden("#case")


def test_wheel_and_drag_move_the_map_and_it_finds_back(page):
    """What was under the pointer stays under it; a drag opens nothing."""
    x, y = _place(page, 30)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(100)
    page.mouse.click(x, y)
    assert page.inner_text("#case-name") == "case0030"
    page.keyboard.press("Escape")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y + 50, steps=4)
    page.mouse.up()
    assert page.is_hidden("#case")
    page.mouse.click(x + 80, y + 50)
    assert page.inner_text("#case-name") == "case0030"
    page.click("#close")
    page.click("#reset")
    page.mouse.click(x, y)
    assert page.inner_text("#case-name") == "case0030"


def test_another_depth_shows_the_same_cases_in_the_same_colours(page):
    """The map is mirrored in the second stage, so that a case lies elsewhere."""
    x, y = _place(page, 31)
    page.select_option("#depth", label="Stage 2")
    page.mouse.click(x, y)
    other = page.is_hidden("#case") or page.inner_text("#case-name") != "case0031"

    assert other
    assert page.locator("#legend li").count() == 3


def test_a_telephone_shows_it_without_scrolling_sideways(chromium, address):
    """A tap opens a case."""
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(address)
    _wait(page, "document.getElementById('shown').textContent")

    page.touchscreen.tap(*_place(page, 30))

    assert page.inner_text("#case-name") == "case0030"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_a_single_case_that_was_placed_is_opened_at_once(chromium, tmp_path):
    """Whoever asked for it need not look for it; a group of one is a group."""
    chart = a_chart(cases=12, asked=(11,))
    first, *_ = chart.cast.laid_out[:11], chart.cast.laid_out[11]
    placed = a_case(11, case_id="new", diagnosis=None, indeterminate="unresolved votes", split="train")
    page = chromium.new_page()

    page.goto(
        _write(
            tmp_path / "page",
            a_chart(cases=12, asked=(11,), cast=chart.cast._replace(laid_out=first, placed=(placed,))),
        )
    )

    _wait(page, "document.getElementById('case-name').textContent === 'new'")
    assert re.search(r"How it came here\s+placed", page.inner_text("#facts"))
    assert re.search(r"Diagnosis\s+not settled", page.inner_text("#facts"))
    page.select_option("#colour", label="How it came here")
    page.click("#legend li:nth-child(2) .quiet")
    page.click("#in-view")
    assert page.inner_text("#group-count") == "1 cases, 0 answered wrongly"
    page.close()
