"""How the first people come in."""

import pytest

from clinics import a_clinic
from cutis.serve.arrivals import first_links, set_administrator
from cutis.serve.journal import SERVER, Kind, entries
from cutis.web.accounts import Role
from sites import PASSWORD

PLENTY = f"{PASSWORD} {PASSWORD}"


@pytest.fixture
def clinic(tmp_path, database_url, answerer):
    """A demonstration on either database."""
    with a_clinic(tmp_path / "clinic", database_url, answerer=answerer) as opened:
        yield opened


def test_links_are_made_until_an_administrator_has_a_password(clinic):
    """Then only where one is asked for; a demonstration always has a clinician's."""
    before = first_links(clinic.clinic, clinic.ground)
    set_administrator(clinic.site.database, clinic.clinic.vault, name="boss", password=PASSWORD, now=1)
    after = first_links(clinic.clinic, clinic.ground)
    wanted = first_links(clinic.clinic, clinic.ground, wanted=True)

    assert [line.split(":")[0] for line in before] == ["administrator", "clinician"]
    assert [line.split(":")[0] for line in after] == ["clinician"]
    assert [line.split(":")[0] for line in wanted] == ["administrator", "clinician"]


def test_a_new_password_ends_the_sessions_of_before_and_is_in_the_journal(clinic):
    """Whoever had got in by the old one is out; the journal says that it was done where the server stands."""
    set_administrator(clinic.site.database, clinic.clinic.vault, name="boss", password=PASSWORD, now=1)
    with clinic.site.database.reading() as connection:
        account = connection.exec_driver_sql("SELECT id FROM accounts").scalar_one()
    browser = clinic.site.joined(account)
    before = browser.get("/account").status_code

    set_administrator(clinic.site.database, clinic.clinic.vault, name="boss", password=PLENTY, now=2)

    assert (before, browser.get("/account").headers["location"]) == (200, "/sign-in")
    with clinic.site.database.reading() as connection:
        told = [(each.by, each.content) for each in entries(connection, kinds=[Kind.ACCOUNT])]
    assert told == [(SERVER, {"did": "password set", "account": account, "role": Role.ADMINISTRATOR.value})] * 2
    assert PASSWORD not in str(told)
