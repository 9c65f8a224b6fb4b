"""The pages of curators, administrators and auditors in a real browser: on a desk and on a telephone, and by keys."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from clinic_pasts import DAY, a_past, a_reference, said_to_be, seen_in
from cutis.serve.answer import State
from cutis.serve.labels.truths import known_truths
from cutis.serve.record.words import Says
from cutis.web.accounts import Role
from sites import free_port, served

playwright = pytest.importorskip("playwright.sync_api")
DESK, TELEPHONE = (1280, 800), (390, 844)
LIMITS = {
    "cases": "20",
    "truth": "histology",
    "limit accuracy": "0.2",
    "side accuracy": "low",
    "limit unanswered": "0.5",
    "side unanswered": "high",
}


@pytest.fixture
def past(tmp_path, answerer):
    """A clinic with eight weeks behind it, served."""
    url = f"sqlite:///{tmp_path / 'clinic.sqlite'}"
    opened = a_past(tmp_path / "clinic", url, answerer, reference=a_reference(), port=free_port())
    with opened as clinic, served(clinic.knocked.site):
        yield clinic


def fill(past, count):
    """Let so much happen, darker than it was where the release was made."""
    chance = np.random.default_rng(0)
    made = []
    for number in range(count):
        code, state = str(chance.choice(["a", "b", "c"])), State.UNSURE if number % 12 == 0 else State.ANSWERED
        picture = seen_in(chance, darker=0.1)
        answer = said_to_be(code, float(chance.beta(6, 2)), state=state, pictures=(picture,), seconds=0.2)
        about = {"ago": float(chance.uniform(0, 55)) * DAY, "device": "Lens A", "note": "<b>left</b> arm"}
        made.append((past.asked(answer, **about), code))
    return made


class Desk:
    """One person before one screen; what the browser complains of is kept."""

    def __init__(self, chromium, past, role, size, *, language="en-GB"):
        """Sit down, and come by a link."""
        self.past, self.origin = past, past.knocked.site.settings.origin
        width, height = size
        self.context = chromium.new_context(viewport={"width": width, "height": height}, locale=language)
        self.page = self.context.new_page()
        self.complaints, self.elsewhere = [], []
        self.page.on("console", lambda told: self._note(told) if told.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda asked: self._far(asked.url))
        self.account = past.knocked.site.account(role, name=f"{role.value} {language} {width}")
        self.page.goto(f"{self.origin}/join#{past.knocked.site.link(self.account)}")
        self.page.click("#begin")
        self.page.wait_for_url(lambda url: "/join" not in url)

    def _note(self, told):
        self.complaints.append(told.text)

    def _far(self, url):
        if not url.startswith(self.origin):
            self.elsewhere.append(url)

    def open(self, path):
        """Go to a page."""
        self.page.goto(self.origin + path)

    def press(self, selector):
        """Press what stands in a form, and wait for the page that follows."""
        with self.page.expect_navigation():
            self.page.click(selector)


@contextmanager
def looked_over(desk, size, found):
    """Lend what looks for barriers and for pages wider than their screen."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def look(name):
        desk.page.wait_for_load_state()
        serious = [
            f"{each['id']}: {each['nodes'][0]['html'][:160]}"
            for each in axe.run(desk.page).response["violations"]
            if each["impact"] in {"serious", "critical"}
        ]
        wide = desk.page.evaluate("document.documentElement.scrollWidth") > size[0]
        if serious or wide:
            found[name] = (serious, wide)

    yield look
    if desk.complaints or desk.elsewhere:
        found["complaints"] = (desk.complaints, desk.elsewhere)


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
def test_no_page_of_the_office_has_a_barrier_or_is_wider_than_its_screen(chromium, past, size):
    """axe-core finds nothing serious; nothing scrolls sideways, complains, or leaves the server's own address."""
    made, found = fill(past, 140), {}
    boss = Desk(chromium, past, Role.ADMINISTRATOR, size, language="zh-CN" if size is TELEPHONE else "en-GB")
    with looked_over(boss, size, found) as look:
        look("staff")
        boss.page.locator("summary").first.click()
        boss.page.locator("summary").last.click()
        look("staff, unfolded")
        boss.press("form[action='/staff/invite'] button")
        look("link")
        boss.open("/releases")
        look("releases")
        boss.open("/acceptance")
        look("limits")
        boss.page.fill("#cases", LIMITS["cases"])
        for name in ("limit accuracy", "limit unanswered"):
            boss.page.fill(f"input[name='{name}']", LIMITS[name])
        boss.press("form[action='/acceptance/plan'] button")
        look("limits in force")
        boss.open("/monitor")
        look("monitor, held back")
        for examination, code in made:
            past.histology(examination, code)
            past.word(examination, Says.OTHER, "a")
        boss.open("/acceptance")
        boss.press("form[action='/acceptance/test'] button")
        boss.page.locator("summary").first.click()
        look("tested")
        boss.press("form[action='/acceptance/visible'] button")
        look("visible")
        boss.open("/monitor?days=91")
        for each in boss.page.locator("summary").all():
            each.click()
        look("monitor, unfolded")
    auditor = Desk(chromium, past, Role.AUDITOR, size)
    with looked_over(auditor, size, found) as look:
        look("monitor of an auditor")
        auditor.open("/journal")
        look("journal")
        auditor.press("form[action='/journal/verify'] button")
        look("journal, verified")

    assert found == {}


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
def test_a_curator_labels_by_keys_alone(chromium, past, size):
    """From the list to a diagnosis, one of none of these, and a report; stored markup is text."""
    for _ in range(3):
        past.knocked.site.time.now += 60
        past.asked(said_to_be("c", 0.9), note="<img src=x onerror=window.planted=1>", accession="A-1")
    found, desk = {}, Desk(chromium, past, Role.CURATOR, size)
    with looked_over(desk, size, found) as look:
        look("labels")
        desk.page.focus("#begin")
        with desk.page.expect_navigation():
            desk.page.keyboard.press("Enter")
        look("one")
        desk.page.focus("input[name='diagnosis']")
        desk.page.keyboard.press("Space")
        desk.page.keyboard.press("ArrowDown")
        with desk.page.expect_navigation():
            desk.page.keyboard.press("Enter")
        desk.page.focus("input[name='diagnosis'][value='other']")
        desk.page.keyboard.press("Space")
        desk.page.keyboard.press("Tab")
        desk.page.keyboard.press("Enter")
        desk.page.keyboard.press("Tab")
        desk.page.keyboard.type("wart")
        desk.page.keyboard.press("Tab")
        desk.page.keyboard.press("ArrowLeft")
        look("none of these")
        desk.page.focus("#label button.main")
        with desk.page.expect_navigation():
            desk.page.keyboard.press("Enter")
        desk.open("/labels")
        desk.page.fill("#number", "A-1")
        with desk.page.expect_navigation():
            desk.page.keyboard.press("Enter")
        look("found")
        desk.press(".waiting a >> nth=0")
        desk.page.locator("summary").last.click()
        desk.page.select_option("#found", "c")
        desk.page.fill("#day", "2027-01-14")
        desk.page.fill("#report", "H-7")
        look("report")
        with desk.page.expect_navigation():
            desk.page.keyboard.press("Enter")

    with past.knocked.ground.database.reading() as connection:
        known = known_truths(connection, past.clinic.vault).values()
    assert desk.page.evaluate("window.planted") is None
    assert {said.word for each in known for said in each.votes.values()} == {"b", "wart"}
    assert {each.histology.code for each in known if each.histology} == {"c"}
    assert found == {}
