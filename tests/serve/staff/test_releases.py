"""Another release may come from one folder of the site's choice, and from nowhere else."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from clinic_pasts import ROOMS, Past
from clinics import a_clinic
from cutis.serve.alarms import Alarms, keep_alarms
from cutis.serve.journal import Kind, entries
from cutis.serve.staff.releases import folder_of, in_force, offered
from cutis.serve.visibility import make_visible, shows
from cutis.web.accounts import Role
from factories import a_running_release

FORM = {"name": "next"}


@pytest.fixture
def shelf(tmp_path):
    """A folder with one release, a folder that is none, and a link that leads out of it."""
    folder = tmp_path / "releases"
    folder.mkdir()
    a_running_release(folder / "next", name="next")
    (folder / "empty").mkdir()
    a_running_release(tmp_path / "outside", name="outside")
    (folder / "link").symlink_to(tmp_path / "outside")
    return folder


@pytest.fixture
def site(tmp_path, shelf):
    """A silent clinic whose releases lie there."""
    rooms = [each() for each in ROOMS]
    url, settings = f"sqlite:///{tmp_path / 'c.sqlite'}", {"demonstration": False, "signed": False, "releases": shelf}
    with a_clinic(tmp_path / "clinic", url, rooms=rooms, **settings) as knocked:
        yield Past(knocked)


def boss(past) -> TestClient:
    """The administrator's browser."""
    return past.browser(Role.ADMINISTRATOR)


def test_only_releases_in_the_folder_are_offered(site, shelf):
    """No empty folder, and nothing that a link leads to."""
    assert offered(site.clinic.settings) == ("next",)
    for name in ("link", "empty", "../outside", str(shelf / "next"), "next/../../outside", "", ".", "next\0"):
        assert folder_of(site.clinic.settings, name) is None


def test_changing_over_is_written_down_remembered_and_silent(site, shelf):
    """A restart goes on with it; answers are hidden until it passes a test of its own; alarms of before are over."""
    before, browser = site.clinic.answerer.release, boss(site)
    with site.knocked.ground.database.writing() as connection:
        make_visible(connection, site.clinic.vault, release_sha256=before.sha256, test=1, by="boss", now=site.now)

    with site.knocked.ground.database.writing() as connection:
        keep_alarms(connection, Alarms(site.now, before.sha256, ["device"]))
    warned = "The monitor raises an alarm." in browser.get("/releases").text

    answered = browser.post("/releases/change", data=FORM)

    now = site.clinic.answerer.release
    with site.knocked.ground.database.reading() as connection:
        (told,) = [each.content for each in entries(connection, kinds=(Kind.RELEASE,))]
        assert in_force(connection, site.clinic.settings) == shelf / "next"
        assert not shows(connection, site.clinic.settings, now.sha256)
    assert answered.status_code == 303
    assert (now.name, told["to"]) == ("next", now.sha256)
    after = browser.get("/releases").text
    assert now.sha256 in after
    assert (warned, "The monitor raises an alarm." in after) == (True, False)
    assert "Another release answers than the one that passed" in browser.get("/acceptance").text


def test_a_release_from_elsewhere_is_not_there(site):
    """404 or 422, and the one that answers goes on."""
    before, browser = site.clinic.answerer.release.sha256, boss(site)

    for name in ("outside", "link", "../outside", "empty", "/etc", ""):
        assert browser.post("/releases/change", data={"name": name}).status_code in {404, 422}
    assert site.clinic.answerer.release.sha256 == before


def test_a_release_that_was_changed_is_refused_and_the_one_before_goes_on(site, shelf):
    """With what is wrong, and nothing is remembered."""
    before = site.clinic.answerer.release.sha256
    network = next(path for path in (shelf / "next").rglob("*.onnx"))
    network.write_bytes(network.read_bytes()[:-1] + b"x")

    answered = boss(site).post("/releases/change", data=FORM)

    assert answered.status_code == 422
    assert 'role="alert"' in answered.text
    assert site.clinic.answerer.release.sha256 == before
    with site.knocked.ground.database.reading() as connection:
        assert in_force(connection, site.clinic.settings) is None


def test_without_a_folder_the_page_says_how_to_name_one(small_past):
    """And offers nothing."""
    page = boss(small_past).get("/releases").text

    assert "releases = " in page
    assert 'name="name"' not in page
    assert boss(small_past).post("/releases/change", data=FORM).status_code == 404
