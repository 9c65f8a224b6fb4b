"""The doors."""

import pytest

from cutis.web.accounts import Role
from sites import PASSWORD, a_site, proof_in

SET = {"name": "Li", "password": "a long password", "again": "a long password"}


def sign_in(browser, name="Boss", password=PASSWORD):
    """Send the form."""
    return browser.post("/sign-in", data={"name": name, "password": password})


def test_who_knows_the_password_is_let_in(site):
    """In any case of the name's letters; the cookie is out of a script's reach."""
    site.account(Role.ADMINISTRATOR, name="Boss")
    browser = site.browser()

    answer = sign_in(browser, name=" BOSS ")

    assert answer.status_code == 303
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=lax" in answer.headers["set-cookie"]
    assert "boss" in browser.get("/account").text


def test_over_https_the_cookie_travels_by_https_alone(tmp_path):
    """And no other host can set it."""
    with a_site(f"sqlite:///{tmp_path / 'a'}", address="https://booth.example.org") as site:
        site.account(Role.ADMINISTRATOR, name="Boss")

        cookie = sign_in(site.browser()).headers["set-cookie"]

        assert cookie.startswith("__Host-cutis=")
        assert "Secure" in cookie


def test_a_wrong_password_and_a_name_that_is_none_get_the_same_answer(site):
    """Nothing tells who exists."""
    site.account(Role.ADMINISTRATOR, name="Boss")

    wrong, nobody = sign_in(site.browser(), password="x" * 12), sign_in(site.browser(), name="nobody")

    assert (wrong.status_code, nobody.status_code) == (401, 401)
    assert wrong.text == nobody.text


def test_after_failures_one_has_to_wait_longer_each_time(site):
    """Three are free; then 1, 2, 4 … seconds, also with the right password, and an hour later it works (threat 14)."""
    site.account(Role.ADMINISTRATOR, name="Boss")
    browser = site.browser()
    for _ in range(3):
        assert sign_in(browser, password="x" * 12).status_code == 401

    at_once = sign_in(browser)
    waits = []
    for _ in range(4):
        wait = int(sign_in(browser).headers["retry-after"])
        waits.append(wait)
        site.time.now += wait
        assert sign_in(browser, password="x" * 12).status_code == 401
    site.time.now += 3600

    assert at_once.status_code == 429
    assert waits == [1, 2, 4, 8]
    assert sign_in(browser).status_code == 303


def test_one_persons_failures_lock_nobody_else_out(site):
    """Another name from the same address is still looked at."""
    site.account(Role.ADMINISTRATOR, name="Boss")
    site.account(Role.READER, name="Li")
    for _ in range(6):
        sign_in(site.browser(), password="x" * 12)

    assert sign_in(site.browser()).status_code == 429
    assert sign_in(site.browser(), name="Li").status_code == 303


def test_a_personal_link_signs_in_on_any_device_and_again(site):
    """Until it ends, or a new one is made."""
    reader = site.account(Role.READER)
    token = site.link(reader, days=2)

    first, second = (site.browser().post("/join", json={"token": token}) for _ in range(2))
    site.time.now += 3 * 86_400
    third = site.browser().post("/join", json={"token": token})

    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 401]


def test_a_new_link_ends_the_one_before(site):
    """A lost link is worth nothing."""
    reader = site.account(Role.READER)
    lost = site.link(reader)

    site.link(reader)

    assert site.browser().post("/join", json={"token": lost}).status_code == 401


def test_a_link_that_is_good_once_is_good_once(site):
    """The administrator's, that stands on the terminal."""
    token = site.link(site.account(Role.ADMINISTRATOR), once=True)

    answers = [site.browser().post("/join", json={"token": token}).status_code for _ in range(2)]

    assert answers == [200, 401]


def test_guessing_links_costs_time(site):
    """After twenty wrong ones from an address, one has to wait."""
    answers = [site.browser().post("/join", json={"token": f"x{number}"}).status_code for number in range(21)]

    assert answers == [401] * 20 + [429]


def test_a_session_ends_when_it_is_idle_and_after_twelve_hours(site):
    """15 minutes without a sign; 12 hours with signs all along (threat 14)."""
    boss = site.account(Role.ADMINISTRATOR)
    idle, busy = site.joined(boss), site.joined(boss)

    site.time.now += 14 * 60
    assert busy.get("/account").status_code == 200
    site.time.now += 2 * 60
    assert idle.get("/account", headers={"accept": "application/json"}).status_code == 401
    for _ in range(70):
        site.time.now += 10 * 60
        alive = busy.get("/account").status_code
    site.time.now += 10 * 60

    assert alive == 200
    assert busy.get("/account").status_code == 303


def test_the_database_holds_no_secret(site):
    """Neither a session's nor a link's: only hashes; and no password in the clear (threat 14)."""
    boss = site.account(Role.ADMINISTRATOR, name="Boss")
    browser = site.browser()
    sign_in(browser)
    token = site.link(boss)

    with site.database.reading() as connection:
        rows = [
            str(row)
            for table in ("accounts", "links", "sessions", "failures")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")  # noqa: S608
        ]

    held = "\n".join(rows)
    assert browser.cookies["cutis"] not in held
    assert token not in held
    assert PASSWORD not in held
    assert "$argon2id$" in held
    assert "Boss" not in site.log.getvalue()


def test_signing_out_ends_the_session_on_the_server(site):
    """Who kept the cookie has nothing."""
    browser = site.joined(site.account(Role.READER))
    kept = browser.cookies["cutis"]

    browser.post("/sign-out", data={"proof": proof_in(browser)})
    thief = site.browser()
    thief.cookies.set("cutis", kept)

    assert thief.get("/account").status_code == 303


def test_signing_out_everywhere_ends_all_sessions(site):
    """One lost telephone."""
    reader = site.account(Role.READER)
    here, there = site.joined(reader), site.joined(reader)

    here.post("/sign-out", data={"proof": proof_in(here), "everywhere": "true"})

    assert there.get("/account").status_code == 303


def test_a_form_without_the_sessions_proof_is_refused(site):
    """Also from our own address (threat 15)."""
    browser = site.joined(site.account(Role.READER))
    proof_of_another = proof_in(site.joined(site.account(Role.READER)))

    answers = [browser.post("/sign-out", data=data) for data in ({}, {"proof": "x"}, {"proof": proof_of_another})]

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert browser.get("/account").status_code == 200


def test_a_password_can_be_set_and_all_other_sessions_end(site):
    """Then name and password open the door; to change it one must know it."""
    reader = site.account(Role.READER)
    browser, other = site.joined(reader), site.joined(reader)

    answer = browser.post("/account", data=SET | {"proof": proof_in(browser)})

    assert answer.status_code == 303
    assert browser.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert sign_in(site.browser(), "li", "a long password").status_code == 303
    again = browser.post("/account", data=SET | {"proof": proof_in(browser), "before": "wrong"})
    assert again.status_code == 422


@pytest.mark.parametrize("wrong", [{"password": "short", "again": "short"}, {"again": "different one"}, {"name": " "}])
def test_a_password_that_is_short_or_differs_is_not_kept(site, wrong):
    """The page says why, in words."""
    browser = site.joined(site.account(Role.READER))

    answer = browser.post("/account", data=SET | wrong | {"proof": proof_in(browser)})

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_name_that_is_taken_stays_with_its_owner(site):
    """Whatever the case of its letters."""
    site.account(Role.ADMINISTRATOR, name="li")
    browser = site.joined(site.account(Role.READER))

    answer = browser.post("/account", data=SET | {"proof": proof_in(browser)})

    assert answer.status_code == 422
    assert sign_in(site.browser(), "li").status_code == 303


def test_the_language_is_chosen_kept_and_guessed(site):
    """By the browser first, then as the person said, on every device."""
    reader = site.account(Role.READER)
    browser = site.joined(reader)
    browser.post("/language", data={"to": "zh", "here": "/account", "proof": proof_in(browser)})

    assert 'lang="zh"' in browser.get("/account").text
    assert 'lang="zh"' in site.joined(reader).get("/account").text
    assert 'lang="zh"' in site.browser(**{"accept-language": "fr, zh-CN;q=0.8, en;q=0.5"}).get("/sign-in").text
    assert 'lang="en"' in site.browser(**{"accept-language": ";;q=x,"}).get("/sign-in").text


@pytest.mark.parametrize("here", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"])
def test_nobody_is_led_to_another_site(small_site, here):
    """After changing the language one is at home."""
    answer = small_site.browser().post("/language", data={"to": "zh", "here": here})

    assert answer.headers["location"] == "/"


def test_what_is_typed_into_a_form_is_text(site):
    """Markup in a name is shown as it was typed (threat 15)."""
    browser = site.joined(site.account(Role.READER))
    evil = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>"

    browser.post("/account", data=SET | {"name": evil, "proof": proof_in(browser)})
    shown = browser.get("/account").text

    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "<img src=x" not in shown


def test_a_failure_of_ours_tells_nothing(small_site):
    """500 with a number that the log knows too, and no traceback."""
    small_site.database.close()
    small_site.ground.database.engine.dispose()
    with small_site.database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE sessions")
    browser = small_site.browser()
    browser.cookies.set("cutis", "x")

    answer = browser.get("/account")

    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert answer.headers["x-request-id"] in small_site.log.getvalue()
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "name", ["../settings.py", "..%2fsettings.py", "%2e%2e/settings.py", "web/../../settings.py", "/etc/passwd", "web/"]
)
def test_a_static_path_reaches_no_other_file(small_site, name):
    """Names are looked up, never joined to a folder (threat 11)."""
    version = small_site.ground.shelf.version

    assert small_site.browser().get(f"/static/{version}/{name}").status_code == 404
