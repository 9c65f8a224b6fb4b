"""A toy release says on every page that it learned from invented pictures."""

import pytest

from clinics import a_jpeg
from servers import a_signed_release
from whole_sites import a_whole_site, bearer, of_each_role

WORDS = {"en": "invented pictures", "zh": "虚构图像"}
HTML = {"accept": "text/html"}


@pytest.mark.parametrize("demonstration", [True, False])
@pytest.mark.parametrize("language", WORDS)
def test_every_page_says_that_a_release_learned_from_invented_pictures(tmp_path, release, demonstration, language):
    """Whoever looks at it, silent or shown, signed in or at the door, refused or not."""
    with a_whole_site(tmp_path / "clinic", release, demonstration=demonstration) as site:
        program = site.browser(**bearer(site, "diagnose"), accept="application/json")
        asked = program.post("/v1/diagnoses", content=a_jpeg(), headers={"content-type": "image/jpeg"}).json()
        ids = {"{examination_id}": asked["id"], "{case_id}": asked["case_id"]}
        browsers = [site.browser(), *of_each_role(site).values()]
        pages = {}
        for route in site.site.bare.routes:
            path = route.path
            for name, value in ids.items():
                path = path.replace(name, value)
            for browser in browsers if "GET" in route.methods else ():
                answer = browser.get(path, headers=HTML | {"accept-language": language})
                if "text/html" in answer.headers.get("content-type", ""):
                    pages[path, browser] = answer.text

    silent_about_it = sorted({path for (path, _), text in pages.items() if WORDS[language] not in text})
    assert silent_about_it == []
    assert len({path for path, _ in pages}) >= 15


def test_a_release_of_real_pictures_says_no_such_thing(tmp_path):
    """The words would wear out."""
    real = a_signed_release(tmp_path / "real", invented=False)
    with a_whole_site(tmp_path / "clinic", real, demonstration=False) as site:
        for browser in [site.browser(), *of_each_role(site).values()]:
            for path in ("/sign-in", "/account", "/diagnose", "/staff", "/labels", "/monitor"):
                assert WORDS["en"] not in browser.get(path, headers=HTML).text
