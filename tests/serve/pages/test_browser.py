"""The whole visit in a real browser, on a desk and a telephone, by mouse and by keys alone, on good lines and bad."""

from __future__ import annotations

import base64
import re
from contextlib import ExitStack

import pytest

from clinics import a_jpeg
from consulting import FOREIGN, SURE, UNSURE, a_blurred_jpeg, a_consulting_room, text_of
from cutis.serve.journal import Kind, entries
from cutis.web.accounts import Role
from sites import PASSWORD, free_port, served

playwright = pytest.importorskip("playwright.sync_api")
DESK, TELEPHONE = (1280, 800), (390, 844)
SIZES = [pytest.param(DESK, id="desk"), pytest.param(TELEPHONE, id="telephone", marks=pytest.mark.slow)]
MOVED = "[...document.querySelectorAll('.moved')].map((each) => each.style.transform)"
MARKUP = "<img src=x onerror=window.planted=1>"
# Gives a page pictures as a hand or another window would.
GIVE = """([kind, contents]) => {
  const transfer = new DataTransfer();
  for (const [name, encoded] of contents) {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, { type: "image/jpeg" }));
  }
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
    : new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true });
  document.getElementById("drop").dispatchEvent(event);
}"""


@pytest.fixture
def opened(doubting, tmp_path):
    """Serve a consulting room with these settings; all of them end with the test."""
    with ExitStack() as open_here:

        def open_one(**settings):
            told = {"port": free_port()} | settings
            url = f"sqlite:///{tmp_path / 'c.sqlite'}"
            clinic = open_here.enter_context(a_consulting_room(tmp_path, url, answerer=doubting, **told))
            clinic.site.account(Role.CLINICIAN, name="li")
            clinic.site.account(Role.CLINICIAN, name="wang")
            open_here.enter_context(served(clinic.site))
            return clinic

        yield open_one


class Desk:
    """One clinician before one screen; what the browser asks for, and what it complains of, is kept."""

    def __init__(self, chromium, clinic, size=DESK, *, language="en-GB", name="li"):
        """Open a window of this size and sign in."""
        touch = size == TELEPHONE
        self.origin = clinic.site.settings.origin
        self.context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            has_touch=touch,
            is_mobile=touch,
            accept_downloads=True,
            reduced_motion="reduce",  # a colour on its way to another one has no contrast of its own
        )
        self.complaints, self.asked, self.came = [], [], []
        self.context.expose_function("violated", lambda said: self.complaints.append(said))  # noqa: PLW0108  it needs a name
        self.context.add_init_script(
            "document.addEventListener('securitypolicyviolation', (event) =>"
            " window.violated(`policy: ${event.violatedDirective} ${event.blockedURI}`))"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(f"{self.origin}/sign-in")
        self.page.fill("#name", name)
        self.page.fill("#password", PASSWORD)
        self.page.click("main button.main")
        self.page.wait_for_url("**/diagnose")

    def give(self, *contents, kind="drop"):
        """Drop or paste pictures."""
        named = [[f"patient {n}.jpg", base64.b64encode(each).decode()] for n, each in enumerate(contents)]
        self.page.evaluate(GIVE, [kind, named])

    def examine(self, *contents, kind="drop"):
        """From the page that takes pictures to the page of the answer."""
        if not self.page.url.endswith("/diagnose"):
            self.page.goto(f"{self.origin}/diagnose")
        self.give(*contents, kind=kind)
        self.page.click("#go")
        self.page.wait_for_url("**/examinations/*")

    def says(self):
        """What can be read from a metre away."""
        return self.page.text_content("#state").strip()

    def foreign_requests(self):
        """What left for another address than the server's own."""
        return [url for url in self.asked if not url.startswith((self.origin, "blob:", "data:"))]


@pytest.mark.parametrize("size", SIZES)
def test_the_whole_visit_by_mouse(chromium, opened, size):
    """Drop, answer, map, similar cases, word and its correction, refusals, case over time, history, PDF.

    No request leaves the server's own address, no policy is violated, and the browser complains of nothing.
    """
    clinic = opened()
    desk = Desk(chromium, clinic, size)

    first = _see_an_answer(desk)
    said = _say_and_correct(desk)
    states = [_state_of(desk, each) for each in (a_blurred_jpeg(), a_jpeg(colour=UNSURE), a_jpeg(colour=FOREIGN))]
    again, moved, report = _see_it_again(desk)
    counts = _look_back(desk)

    assert re.match(r"Melanocytic nevus\s+\d\d %", first)
    assert said == [f"left shoulder {MARKUP}", 2]
    assert states == [
        ("✕ Too blurred to judge", "✕ Cannot be judged"),
        ("✓ Good enough to judge", "? Unsure"),
        ("✕ Not dermoscopic, or unlike all that was learned", "⊘ Foreign"),
    ]
    assert again.startswith("Basal cell carcinoma")
    assert moved[0] == moved[1]
    assert "scale(1.4)" in moved[0]
    assert "eborrheic keratosis" in report
    assert counts == (5, 1)
    assert desk.page.evaluate("window.planted") is None
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert desk.foreign_requests() == []
    assert desk.complaints == []


def _see_an_answer(desk):
    """Two pictures with all that can be told of them; the map by diagnosis and strength, similar cases, the atlas."""
    page = desk.page
    desk.give(a_jpeg(colour=SURE["MN"]), a_jpeg(colour=SURE["MN"], seed=1))
    for name, text in (("#note", f"left shoulder {MARKUP}"), ("#device", "DL5"), ("#accession", "ACC-1")):
        page.fill(name, text)
    page.click("#go")
    page.wait_for_url("**/examinations/*")
    page.check("#show-map")
    page.wait_for_function("() => map.complete && map.naturalWidth > 0 && !map.hidden")
    page.select_option("#map-of", "BCC")
    page.locator("#map-strength").fill("30")
    page.wait_for_function("() => map.style.opacity === '0.3'")
    page.click("#similar summary")
    page.wait_for_selector(".similar-cases li")
    page.wait_for_function("() => atlas.width > 100")
    page.click("[data-picture='1']")
    page.wait_for_function("() => picture.src.endsWith('/pictures/1')")
    return desk.says()


def _say_and_correct(desk):
    """Agree, and then name another diagnosis; return the note as it is shown, and how many words there are."""
    page = desk.page
    page.click("text=Agree: Melanocytic nevus")
    page.wait_for_selector(".given")
    page.click("#change-word summary")
    page.fill("#diagnosis", "Seborrheic keratosis")
    page.click(".other button")
    page.wait_for_function("() => document.querySelectorAll('.given li').length === 2")
    return [page.text_content(".facts .note"), page.locator(".given li").count()]


def _state_of(desk, content):
    """What stands at the head of a page, and what of the answer."""
    desk.examine(content, kind="paste")
    return desk.page.text_content(".verdict .large").strip(), desk.says()


def _see_it_again(desk):
    """Find the case by its number, examine it again, compare, and take it out; return what was seen of each."""
    page = desk.page
    page.goto(f"{desk.origin}/history")
    page.fill("#number", "ACC-1")
    page.click(".find button")
    page.wait_for_url("**/cases/*")
    page.click("#again")
    page.wait_for_url("**/diagnose?case=*")
    desk.give(a_jpeg(colour=SURE["BCC"]))
    page.click("#go")
    page.wait_for_url("**/examinations/*")
    again = desk.says()
    page.click("#see-case")
    page.wait_for_url("**/cases/*")
    page.click("[data-do=nearer]")
    moved = page.evaluate(MOVED)
    with page.expect_download() as taken:
        page.click("#report")
    return again, moved, text_of(taken.value.path().read_bytes())


def _look_back(desk):
    """Count what the history lists, and what a filter leaves of it."""
    page = desk.page
    page.goto(f"{desk.origin}/history")
    rows = page.locator("tbody tr").count()
    page.click(".filters-fold summary")
    page.select_option("#state", "unsure")
    page.click(".filters .main")
    page.wait_for_url("**state=unsure**")
    return rows, page.locator("tbody tr").count()


@pytest.mark.parametrize("size", SIZES)
def test_the_whole_visit_by_keys_alone(chromium, opened, size):
    """From the picture to the PDF without a mouse; a telephone may have a keyboard, too."""
    desk = Desk(chromium, opened(), size)
    page, keys = desk.page, desk.page.keyboard

    _choose_by_keys(desk)
    page.wait_for_function("() => picture.complete")
    keys.press("h")
    page.wait_for_function("() => !map.hidden && map.naturalWidth > 0")
    keys.press("h")
    page.wait_for_function("() => map.hidden")
    keys.press("s")
    page.wait_for_selector(".similar-cases li")
    near, whole = _zoom_by_keys(page)
    for pressed in (("w", "Enter"), ("w", "Tab")):
        for key in pressed:
            keys.press(key)
        page.wait_for_selector(".given")
    keys.type("Melanocytic nevus")
    keys.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.given li').length === 2")
    with page.expect_download() as taken:
        keys.press("p")
    keys.press("c")
    page.wait_for_url("**/cases/*")
    page.focus(".viewer")
    keys.press("+")

    assert "scale(1.96)" in near
    assert "scale(1)" in whole
    assert taken.value.suggested_filename.startswith("case-")
    assert all("scale(1.4)" in each for each in page.evaluate(MOVED))
    assert desk.complaints == []


def test_single_keys_are_listed_and_can_be_switched_off(chromium, opened):
    """For whoever dictates into a page: ``?`` still lists them."""
    desk = Desk(chromium, opened())
    page, keys = desk.page, desk.page.keyboard
    desk.examine(a_jpeg())

    keys.press("?")
    listed = page.locator("#keys[open] dt").count()
    keys.press("Space")
    keys.press("Escape")
    keys.press("h")
    keys.press("n")
    page.wait_for_timeout(300)
    still = page.is_hidden("#map") and "/examinations/" in page.url
    keys.press("?")

    assert listed == 11
    assert still
    assert page.is_checked("#keys-off")


def _choose_by_keys(desk):
    """Reach the button by Tab, choose a picture, and send it off where the focus is then."""
    page, keys = desk.page, desk.page.keyboard
    page.on("filechooser", lambda _: None)  # who listens only from now on may come too late on a machine at work
    _tab_to(page, "choose")
    with page.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files({"name": "x.jpg", "mimeType": "image/jpeg", "buffer": a_jpeg(colour=SURE["BCC"])})
    page.wait_for_function("() => document.activeElement.id === 'go'")
    keys.press("Enter")
    page.wait_for_url("**/examinations/*")


def _zoom_by_keys(page):
    """Go nearer, to the side, and back to the whole picture."""
    page.focus("#viewer")
    for key in ("+", "+", "ArrowLeft"):
        page.keyboard.press(key)
    near = page.evaluate(MOVED)[0]
    page.keyboard.press("0")
    return near, page.evaluate(MOVED)[0]


def _tab_to(page, name):
    """Press Tab until something has the focus."""
    for _ in range(40):
        if page.evaluate("document.activeElement.id") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(name)


@pytest.mark.parametrize("settings", [{"demonstration": False}, {"commit_first": True}], ids=["silent", "commit first"])
def test_no_byte_of_a_hidden_answer_reaches_the_browser(chromium, opened, settings):
    """Everything that came is looked through, until the word is given; then, if the site shows answers, it is there."""
    clinic = opened(**settings)
    desk = Desk(chromium, clinic)
    page, came = desk.page, []

    def through(route):
        answered = route.fetch()
        came.append((answered.headers.get("content-type", ""), answered.body(), route.request.resource_type))
        route.fulfill(response=answered)

    page.route("**/*", through)
    desk.examine(a_jpeg(colour=SURE["MN"]))
    page.keyboard.press("h")
    page.keyboard.press("s")
    page.wait_for_load_state("networkidle")
    said = desk.says()
    page.unroute("**/*")
    texts = [body.decode() for kind, body, _ in came if kind.startswith(("text/html", "application/json"))]
    asked_for = {kind for *_, kind in came}
    page.fill("#diagnosis", "Basal cell carcinoma")
    page.click(".other button")
    page.wait_for_selector(".given")
    after = desk.says()
    with clinic.ground.database.reading() as connection:
        written = [each.kind for each in entries(connection) if each.kind != Kind.ACCESS]

    assert any("First your diagnosis" in text or "kept and not shown" in text for text in texts)
    assert not any(re.search(r"\d %|&#34;likely|&#34;MN|<meter", text) for text in texts)
    assert "fetch" not in asked_for
    if "commit_first" in settings:
        assert said == "◐ First your diagnosis"
        assert after.startswith("Melanocytic nevus")
        assert written == ["answer", "word", "shown"]
        assert "without the answer" in page.text_content(".given")
    else:
        assert said == after == "◐ The answer is kept and not shown"
        assert written == ["answer", "word"]
    assert desk.complaints == []


def test_nothing_is_lost_when_the_line_is_cut(chromium, opened):
    """Cut on the way there and on the way back: the pictures stay, and trying again makes one examination."""
    clinic = opened()
    desk = Desk(chromium, clinic)
    page = desk.page
    desk.give(a_jpeg(), a_jpeg(seed=1))
    page.fill("#note", "left shoulder")

    desk.context.set_offline(True)
    page.click("#go")
    page.wait_for_selector("#said:visible")
    said = page.text_content("#said")
    desk.context.set_offline(False)
    page.route("**/diagnose", lambda route: (route.fetch(), route.abort()), times=1)
    page.click("#go")
    page.wait_for_function("() => !said.hidden && !go.disabled")
    left = (page.locator("#chosen li").count(), page.input_value("#note"))
    page.click("#go")
    page.wait_for_url("**/examinations/*")
    with clinic.ground.database.reading() as connection:
        answers = len(list(entries(connection, kinds=[Kind.ANSWER])))

    assert "Your pictures are still here" in said
    assert left == (2, "left shoulder")
    assert answers == 1


def test_refusals_are_said_in_plain_words(chromium, opened):
    """429 counts down and asks again by itself; 413, 422 and 500 say what to do; the pictures stay."""
    clinic = opened(pictures_of_a_lesion=2, picture_bytes=60_000)
    desk = Desk(chromium, clinic)
    page, said = desk.page, []

    def refuse(status, headers=None, body="{}"):
        told = {"status": status, "headers": headers or {}, "body": body, "content_type": "application/json"}
        page.route("**/diagnose", lambda route: route.fulfill(**told), times=1)
        page.click("#go")
        page.wait_for_function("() => !said.hidden && !go.disabled")
        said.append(page.text_content("#said"))

    desk.give(b"no picture")
    page.click("#go")
    page.wait_for_function("() => !said.hidden && !go.disabled")
    said.append(page.text_content("#said"))
    page.click("#chosen button")
    desk.give(a_jpeg() + b"\0" * 60_000)
    said.append(page.text_content("#said"))
    desk.give(a_jpeg(), a_jpeg(), a_jpeg())
    said.append(page.text_content("#said"))
    refuse(413)
    refuse(500)
    refuse(429, {"retry-after": "2"})
    page.wait_for_url("**/examinations/*")

    assert said == [
        "The picture could not be read: this is no picture.",
        "patient 0.jpg is larger than 0 MB.",
        "At most 2 pictures of one lesion together.",
        "These pictures are too large: at most 2 of up to 0 MB each.",
        "Something failed at the server; nothing was kept. Your pictures are still here: please try again.",
        "Many examinations are waiting. This one is asked again by itself in 2 seconds; your pictures stay here.",
    ]


@pytest.mark.parametrize("change", ["picture", "note"])
def test_what_was_changed_while_it_waits_is_not_sent_by_itself(chromium, opened, change):
    """The countdown was of the question as it stood: it ends, and the button says again what it does."""
    desk = Desk(chromium, opened())
    page, button = desk.page, desk.page.text_content("#go")
    busy = {"status": 429, "headers": {"retry-after": "2"}, "body": "{}", "content_type": "application/json"}
    desk.give(a_jpeg())
    page.route("**/diagnose", lambda route: route.fulfill(**busy), times=1)
    page.click("#go")
    page.wait_for_function("() => go.textContent.includes('(1)')")

    if change == "picture":
        desk.give(a_jpeg(seed=1))
    else:
        page.fill("#note", "left shoulder")
    page.wait_for_timeout(2_500)

    assert page.url.endswith("/diagnose")
    assert page.text_content("#go") == button
    assert page.is_hidden("#said")


def test_a_map_is_seen_over_its_own_picture_and_name_only(chromium, opened):
    """While another one is on its way, there is none; one that fails is told."""
    desk = Desk(chromium, opened())
    page, held = desk.page, []
    desk.examine(a_jpeg(), a_jpeg(seed=1))
    page.check("#show-map")
    page.wait_for_function("() => !map.hidden && map.naturalWidth > 0")
    page.route("**/map?**", lambda route: held.append(route))  # noqa: PLW0108  it needs a name

    page.select_option("#map-of", "MN")
    page.wait_for_timeout(300)
    of_another_name = page.is_visible("#map")
    held.pop().continue_()
    page.wait_for_function("() => !map.hidden && map.src.includes('diagnosis=MN')")
    page.click("[data-picture='1']")
    page.wait_for_timeout(300)
    of_another_picture = page.is_visible("#map")
    held.pop().abort()
    page.wait_for_function("() => document.getElementById('map-said').textContent")

    assert not of_another_name
    assert not of_another_picture
    assert page.is_hidden("#map")


def test_signing_in_again_elsewhere_saves_the_pictures(chromium, opened):
    """The session ended while the pictures were chosen: another window signs in, and this one goes on."""
    clinic = opened()
    desk = Desk(chromium, clinic)
    page = desk.page
    desk.give(a_jpeg())
    clinic.site.time.now += 86_400

    page.click("#go")
    page.wait_for_selector("#signing:visible")
    with desk.context.expect_page() as other:
        page.click("#signing a")
    other.value.fill("#name", "li")
    other.value.fill("#password", PASSWORD)
    other.value.click("main button.main")
    other.value.wait_for_url("**/diagnose")
    page.click("#go")
    page.wait_for_url("**/examinations/*")

    assert desk.says().startswith("Basal cell carcinoma")


def test_a_foreign_page_cannot_ask_or_speak(chromium, opened, tmp_path):
    """A form on another site, sent by the clinician's own browser: 403, and nothing was written (threat 15)."""
    clinic = opened()
    desk = Desk(chromium, clinic)
    desk.examine(a_jpeg())
    path = desk.page.url
    evil = tmp_path / "evil.html"
    evil.write_text(
        f'<form method=post action="{path}/word"><input name=says value=doubt></form>'
        f'<iframe src="{path}"></iframe><script>document.forms[0].submit()</script>'
    )

    with desk.page.expect_response("**/word") as answered:
        desk.page.goto(evil.as_uri())
    with clinic.ground.database.reading() as connection:
        kinds = [each.kind for each in entries(connection)]

    assert answered.value.status == 403
    assert kinds == ["answer", "shown"]


@pytest.mark.parametrize("size", SIZES)
def test_no_state_has_a_barrier_or_is_wider_than_its_screen(chromium, opened, size):
    """axe-core finds nothing serious in any state, in Chinese too, and nothing scrolls sideways."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    clinic, found = opened(), {}
    desk = Desk(chromium, clinic, size, language="zh-CN" if size == TELEPHONE else "en-GB")
    page = desk.page

    def look(name):
        serious = [
            f"{each['id']}: {each['nodes'][0]['html'][:160]}"
            for each in axe.run(page).response["violations"]
            if each["impact"] in {"serious", "critical"}
        ]
        wide = page.evaluate("document.documentElement.scrollWidth") > size[0]
        if serious or wide:
            found[name] = (serious, wide)

    look("diagnose")
    desk.give(a_jpeg(), b"x")
    look("chosen")
    page.click("#go")
    page.wait_for_function("() => !said.hidden")
    look("refused")
    page.click("#chosen li:last-child button")
    page.click("#go")
    page.wait_for_url("**/examinations/*")
    look("answer")
    page.check("#show-map")
    page.wait_for_function("() => map.naturalWidth > 0")
    page.click("#similar summary")
    page.wait_for_selector(".similar-cases li")
    look("map and similar cases")
    page.click("#word button.main")
    page.wait_for_selector(".given")
    page.click("#change-word summary")
    look("word")
    if size == DESK:
        page.click("#show-keys")
        look("keys")
        page.click("#close-keys")
    page.click("#see-case")
    page.wait_for_url("**/cases/*")
    look("case")
    states = {"unsure": a_jpeg(colour=UNSURE), "foreign": a_jpeg(colour=FOREIGN), "blurred": a_blurred_jpeg()}
    for name, content in states.items():
        desk.examine(content)
        look(name)
    page.goto(f"{desk.origin}/history?word=agrees")
    look("history")
    page.goto(f"{desk.origin}/history?state=unusable&since=2030-01-01")
    look("empty history")

    assert found == {}
    assert [said for said in desk.complaints if "422" not in said] == []


@pytest.mark.parametrize("settings", [{"demonstration": False}, {"commit_first": True}], ids=["silent", "commit first"])
def test_a_hidden_answer_has_no_barrier(chromium, opened, settings):
    """The pages of a silent site and of one that asks first."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    desk = Desk(chromium, opened(**settings))
    desk.examine(a_jpeg())

    serious = [
        f"{each['id']}: {each['nodes'][0]['html'][:160]}"
        for each in axe.run(desk.page).response["violations"]
        if each["impact"] in {"serious", "critical"}
    ]

    assert serious == []
