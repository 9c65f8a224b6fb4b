"""Tokens are given and withdrawn on the record."""

import pytest

from cutis.serve.journal import Kind, entries
from cutis.serve.tokens import SCOPES, give_token, withdraw_token
from cutis.vocabulary.errors import UserError


@pytest.fixture
def record(tmp_path, database_url):
    """Database and vault."""
    from clinics import an_opened_record

    with an_opened_record(tmp_path, database_url) as opened:
        yield opened


def test_what_is_done_with_tokens_is_in_the_journal(record):
    """Who gave which scopes until when, and who withdrew it; the secret is not in it."""
    with record.database.writing() as connection:
        made = give_token(connection, record.vault, "pacs", scopes=["read"], by="boss", now=100, days=2)
    with record.database.writing() as connection:
        withdraw_token(connection, record.vault, "pacs", by="other", now=200)

    with record.database.reading() as connection:
        given, withdrawn = (each for each in entries(connection, kinds=[Kind.ACCOUNT]))
    assert (given.by, withdrawn.by) == ("boss", "other")
    assert given.content["scopes"] == ["read"]
    assert given.content["token"] == withdrawn.content["token"] == made.token.id
    assert given.content["ends_at"] == 100 + 2 * 86_400
    assert made.secret not in given.open


def test_an_unknown_scope_is_told_with_those_that_are_known(record):
    """Nothing is made."""
    with record.database.writing() as connection, pytest.raises(UserError) as refused:
        give_token(connection, record.vault, "pacs", scopes=["read", "all"], by="boss", now=0)

    assert all(scope in refused.value.mend for scope in SCOPES)


def test_a_token_that_is_not_in_use_cannot_be_withdrawn(record):
    """Neither one that ended."""
    with record.database.writing() as connection:
        give_token(connection, record.vault, "pacs", scopes=["read"], by="boss", now=0, days=1)

    with record.database.writing() as connection, pytest.raises(UserError, match="'pacs'"):
        withdraw_token(connection, record.vault, "pacs", by="boss", now=200_000)
