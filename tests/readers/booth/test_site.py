"""From a workspace to a booth that is open."""

import json
import subprocess
import sys

import pytest

from booths import a_study, an_answer
from cutis.readers.booth.site import administrators_link, booth, export_readings, opened
from cutis.readers.protocol import PLAN, begin, read_protocol
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.web.accounts import Role, set_password
from cutis.workspace import Workspace


@pytest.fixture
def workspace(tmp_path):
    """A workspace that holds a study."""
    found = Workspace(tmp_path / "work")
    a_study(found.readers)
    return found


def test_a_booth_that_could_be_opened_is_told(workspace):
    """`--check` looks at everything, and serves nothing."""
    told = booth(workspace, check=True)

    assert told.lines == ("A small study: 3 places, 6 cases, 0 answers",)
    assert told.facts["answers"] == 0


def test_without_a_plan_there_is_no_booth(tmp_path):
    """It says which verb comes first."""
    with pytest.raises(UserError, match="no plan"):
        booth(Workspace(tmp_path), check=True)


def test_a_protocol_that_was_changed_after_the_first_reading_is_refused(workspace):
    """A plan made anew, with an honest hash of its own, opens no booth on answers of the one before."""
    begin(workspace.readers, read_protocol(workspace.readers / PLAN))
    a_study(workspace.readers, seed=8)

    with pytest.raises(SafetyRefusal, match="changed after the first reading"):
        booth(workspace, check=True)


def test_answers_of_another_protocol_in_the_database_are_refused(workspace):
    """Also where somebody removed the note that the study had begun."""
    with opened(workspace) as open_booth, open_booth.database.writing() as connection:
        from cutis.readers.booth.answers import Given, keep
        from cutis.readers.booth.people import invite, readers_of

        invite(connection, open_booth.study.protocol, ["Li"], now=1, days=1)
        reader = readers_of(connection)[0]
        for session, position in ((0, 1), (0, 2), (1, 1)):
            given = Given(**an_answer({"session": session, "position": position}))
            keep(connection, open_booth.study, reader, given, now=1)
    (workspace.readers / "begun.json").unlink()
    a_study(workspace.readers, seed=8)

    with pytest.raises(SafetyRefusal, match="another protocol"):
        booth(workspace, check=True)


def test_a_picture_that_was_changed_is_refused(workspace):
    """The booth is sealed."""
    picture = next((workspace.readers / "booth" / "pictures").iterdir())
    picture.write_bytes(picture.read_bytes() + b"x")

    with pytest.raises(UserError, match="changed or is incomplete"):
        booth(workspace, check=True)


def test_the_first_administrator_comes_by_a_link(workspace):
    """Until one has a password; then only where it is asked for."""
    with opened(workspace) as open_booth:
        first, second = administrators_link(open_booth), administrators_link(open_booth)
        with open_booth.database.writing() as connection:
            account = connection.exec_driver_sql("SELECT id FROM accounts").scalars().all()
            set_password(connection, account[0], name="boss", password="hash")  # noqa: S106
        later, wanted = administrators_link(open_booth), administrators_link(open_booth, wanted=True)

    assert len(account) == 1
    assert len({first, second, wanted}) == 3
    assert later is None
    assert Role.ADMINISTRATOR in Role


def test_an_export_without_answers_is_a_table_without_rows(workspace):
    """It says so."""
    told = export_readings(workspace)

    assert told.lines == ("0 answers of 0 readers",)
    assert (workspace.readers / "readers.csv").read_text() == "reader_id,years,training,dermoscopy\n"


def test_the_verbs_are_there(workspace):
    """`cutis readers booth --check` and `cutis readers export`, with JSON for programs."""
    words = [sys.executable, "-m", "cutis", "readers"]
    for more in (["booth", "--check"], ["export"]):
        run = subprocess.run(
            [*words, *more, "-w", str(workspace.root), "--json"], capture_output=True, text=True, check=True
        )
        assert json.loads(run.stdout)["facts"]["answers"] == 0
