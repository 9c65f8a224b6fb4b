"""Other people's pages, and markup in fields, in a real browser (threat 15)."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy import func, select

from clinics import a_jpeg
from cutis.serve.tables import EXAMINATIONS
from cutis.web.accounts import Role
from cutis.web.tables import SESSIONS
from servers import a_signed_release
from sites import free_port, served
from whole_sites import a_whole_site

playwright = pytest.importorskip("playwright.sync_api")
MARKUP = "<img src=x onerror=window.taken=1><script>window.taken=1</script>\"'><b>bold</b>{{7*7}}"
LISTEN = (
    "window.refused = []; addEventListener('securitypolicyviolation', e => window.refused.push(e.violatedDirective));"
)
PAGE = """<!doctype html><title>elsewhere</title>
<form id=form method=post action="{origin}/language"><input name=to value=zh><input name=here value=/></form>
<form id=out method=post action="{origin}/sign-out"></form>
<form id=file method=post enctype="multipart/form-data" action="{origin}/diagnose"><input name=note value=x></form>
<iframe id=frame src="{origin}/diagnose"></iframe>"""
FETCH = """async ([url, type]) => {
    try {
        const answer = await fetch(url, {method: 'POST', credentials: 'include', mode: 'no-cors', body: 'to=zh&here=/',
                                         headers: {'content-type': type}});
        return answer.type;
    } catch (error) { return String(error); }
}"""


@pytest.fixture
def site(tmp_path):
    """The whole site, at a port."""
    with (
        a_whole_site(tmp_path / "clinic", a_signed_release(tmp_path / "signed"), port=free_port()) as found,
        served(found),
    ):
        yield found


@pytest.fixture
def desk(chromium, site):
    """A clinician who is signed in, and what their browser refused or complained of."""
    context = chromium.new_context(base_url=site.settings.origin, locale="en-GB")
    context.add_init_script(LISTEN)
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
    page.goto(f"/join#{site.link(site.account(Role.CLINICIAN))}")
    page.get_by_role("button").last.click()
    page.wait_for_url("**/diagnose")
    yield page
    context.close()


def test_a_foreign_page_changes_nothing(desk, site):
    """Forms and scripts of another origin, sent with the clinician's own cookies: 403, and nothing is kept."""
    with elsewhere(site.settings.origin) as foreign:
        for form in ("form", "out", "file"):
            desk.goto(foreign)
            with desk.expect_navigation():
                desk.evaluate("id => document.getElementById(id).submit()", form)
            assert desk.evaluate("performance.getEntriesByType('navigation')[0].responseStatus") == 403, form
        desk.goto(foreign)
        for path in ("/language", "/sign-out", "/diagnose", "/v1/diagnoses"):
            for kind in ("application/x-www-form-urlencoded", "text/plain"):
                desk.evaluate(FETCH, [site.settings.origin + path, kind])
    sent = [line for line in site.log.getvalue().splitlines() if '"POST"' in line and '"status": 403' in line]

    assert len(sent) >= 3 + 8
    with site.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(EXAMINATIONS)).scalar_one() == 0
        assert connection.execute(select(func.count()).select_from(SESSIONS)).scalar_one() == 1
    desk.goto("/diagnose")
    assert desk.get_attribute("html", "lang") == "en"  # it would be Chinese by now


def test_no_page_can_be_framed(desk, site):
    """A page of another origin sees a frame in which nothing of ours is."""
    with elsewhere(site.settings.origin) as foreign:
        desk.goto(foreign)
        desk.wait_for_timeout(500)
        frame = next(each for each in desk.frames if each is not desk.main_frame)

        assert frame.query_selector("input[type=file]") is None
    assert any("frame" in each.lower() for each in desk.complaints)


def test_markup_in_every_field_is_text_on_every_page(desk, site):
    """Note, device, accession, diagnosis in one's own words: nothing of it runs, no rule of the browser is broken."""
    desk.goto("/diagnose")
    desk.set_input_files(
        "input[type=file]", {"name": f"{MARKUP[:20]}.jpg", "mimeType": "image/jpeg", "buffer": a_jpeg()}
    )
    for field in desk.query_selector_all("input[type=text]:visible, input:not([type]):visible, textarea:visible"):
        field.fill(MARKUP[: int(field.get_attribute("maxlength") or 80)])
    desk.get_by_role("button", name="Examine", exact=True).click()
    desk.wait_for_url("**/examinations/*")
    case = desk.get_attribute("a[href^='/cases/']", "href")
    text = ""
    for path in (desk.url, case, "/history"):
        desk.goto(path)
        desk.wait_for_timeout(300)
        text += desk.inner_text("body")
        assert desk.evaluate("window.taken") is None
        assert desk.query_selector("img[src='x']") is None
        assert desk.evaluate("window.refused") == []

    assert "onerror=window.taken" in text
    assert "{{7*7}}" in text
    assert desk.complaints == []


@contextmanager
def elsewhere(origin):
    """Lend the address of a foreign page at another port: another origin, to which browsers send our cookies too."""
    content = PAGE.format(origin=origin).encode()

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
