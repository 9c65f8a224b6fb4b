"""``cutis clinic labels`` and ``cutis clinic acceptance``: beside the server, by the same settings."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from clinic_pasts import a_past, said_to_be
from cutis.cli import app
from cutis.serve.acceptance import standing
from cutis.serve.journal import Kind, entries

LIMITS = """format = 1
cases = 12
malignant = 3
histology_only = true

[[limits]]
figure = "accuracy"
limit = 0.6
side = "value"
"""


@pytest.fixture
def past(tmp_path, answerer):
    """A silent clinic, whose server may be running."""
    release = answerer.release.folder
    url, settings = f"sqlite:///{tmp_path / 'clinic' / 'clinic.sqlite'}", {"release": release, "signed": False}
    (tmp_path / "clinic").mkdir()
    with a_past(tmp_path / "clinic", url, answerer, **settings) as opened:
        file = tmp_path / "clinic.toml"
        file.write_text(f'folder = "{tmp_path / "clinic"}"\nrelease = "{release}"\nsigned = false\n')
        yield opened


def run(tmp_path, *words):
    """Run a verb, and return its exit code and its answer as a program reads it."""
    done = CliRunner().invoke(app, ["clinic", *words, "--settings", str(tmp_path / "clinic.toml"), "--json"])
    return done.exit_code, json.loads(done.stdout)


def cases(past, count):
    """Let so many be answered, with their truth."""
    for number in range(count):
        past.knocked.site.time.now += 1
        code = "abc"[number % 3]
        past.histology(past.asked(said_to_be(code), silent=True), code)


def test_labels_are_written_beside_the_server(past, tmp_path):
    """With what was written, and the verb that reads it."""
    cases(past, 3)

    code, told = run(tmp_path, "labels", str(tmp_path / "labels"))

    assert (code, told["facts"]["examinations"], told["facts"]["by_histology"]) == (0, 3, 3)
    assert told["next_command"] == f"cutis curate {tmp_path / 'labels'}"
    assert len(list((tmp_path / "labels" / "pictures").iterdir())) == 3
    with past.knocked.ground.database.reading() as connection:
        assert [each.by for each in entries(connection, kinds=(Kind.ACCESS,))] == ["command line"]


def test_limits_are_set_by_a_file_and_tested_when_the_truth_is_there(past, tmp_path):
    """The same plan, test and journal as by the page."""
    (tmp_path / "limits.toml").write_text(LIMITS)

    code, told = run(tmp_path, "acceptance")
    assert (code, told["plan"], told["test"], told["is_visible"]) == (0, None, None, False)
    code, told = run(tmp_path, "acceptance", "--limits", str(tmp_path / "limits.toml"))
    assert (code, told["plan"]["plan"]["cases"], told["progress"]["with_truth"]) == (0, 12, 0)
    code, told = run(tmp_path, "acceptance", "--test")
    assert (code, "0 of 12" in told["what"]) == (1, True)
    cases(past, 12)
    code, told = run(tmp_path, "acceptance", "--test")
    assert (code, told["test"]["passed"], told["plan"]) == (0, True, None)

    with past.knocked.ground.database.reading() as connection:
        kept = standing.newest_test(connection, past.clinic.answerer.release.sha256)
    assert kept["plan_sha256"] == told["test"]["plan_sha256"]


def test_limits_are_withdrawn_and_refused_with_their_reason(past, tmp_path):
    """Over others: exit 3; a figure that the release does not have, or no TOML: exit 1."""
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS)
    assert run(tmp_path, "acceptance", "--limits", str(file))[0] == 0
    assert run(tmp_path, "acceptance", "--limits", str(file))[0] == 3
    assert run(tmp_path, "acceptance", "--withdraw")[1]["plan"] is None
    file.write_text(LIMITS.replace("accuracy", "coverage"))
    assert run(tmp_path, "acceptance", "--limits", str(file))[0] == 1
    file.write_text("cases = ")
    assert run(tmp_path, "acceptance", "--limits", str(file))[0] == 1


def test_a_person_reads_where_it_stands(past, tmp_path):
    """In lines, the limits with what was reached."""
    (tmp_path / "limits.toml").write_text(LIMITS)
    settings = ["--settings", str(tmp_path / "clinic.toml")]
    CliRunner().invoke(app, ["clinic", "acceptance", "--limits", str(tmp_path / "limits.toml"), *settings])
    cases(past, 12)
    waiting = CliRunner().invoke(app, ["clinic", "acceptance", *settings]).stdout
    tested = CliRunner().invoke(app, ["clinic", "acceptance", "--test", *settings]).stdout

    assert "truths: 12 of 12, malignant 4" in waiting
    assert "1.000" not in waiting
    assert "last test: passed" in tested
    assert "accuracy: 1.000" in tested
