"""``cutis clinic token``."""

import json
import time

from typer.testing import CliRunner

from cutis.cli import app
from cutis.web.tokens import token_of


def run(folder, *words):
    """Run a verb, and return its answer as a program reads it."""
    done = CliRunner().invoke(app, ["clinic", "token", *words, "--folder", str(folder), "--json"])
    return done.exit_code, json.loads(done.stdout)


def test_a_token_is_made_listed_and_revoked(tmp_path):
    """Its secret stands in what making it answers, and nowhere else."""
    code, made = run(tmp_path, "make", "pacs", "--scope", "diagnose", "--scope", "read", "--days", "30")
    _, listed = run(tmp_path, "list")
    _, revoked = run(tmp_path, "revoke", "pacs")
    _, then = run(tmp_path, "list")

    assert (code, made["scopes"]) == (0, ["diagnose", "read"])
    assert made["secret"].startswith("cutis_")
    assert 29 * 86_400 < made["ends_at"] - time.time() < 31 * 86_400
    assert [each["id"] for each in listed["tokens"]] == [made["id"]] == [revoked["id"]]
    assert then["tokens"][0]["ends_at"] <= time.time()
    assert made["secret"] not in json.dumps([listed, revoked, then])


def test_the_secret_opens_what_it_was_made_for(tmp_path):
    """The server finds it by its hash."""
    from cutis.serve.opening import opened

    _, made = run(tmp_path, "make", "pacs", "--scope", "metrics")

    with opened(folder=tmp_path) as kept, kept.database.reading() as connection:
        found = token_of(connection, made["secret"], now=time.time())
    assert found.scopes == {"metrics"}


def test_what_cannot_be_done_says_why(tmp_path):
    """Exit code 1, with the cure."""
    unknown, none = run(tmp_path, "make", "pacs", "--scope", "all"), run(tmp_path, "revoke", "pacs")

    assert (unknown[0], none[0]) == (1, 1)
    assert "diagnose" in unknown[1]["mend"]
    assert "none" in none[1]["mend"]
