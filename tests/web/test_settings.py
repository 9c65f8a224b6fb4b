"""Settings."""

import pytest

from cutis.vocabulary.errors import UserError
from cutis.web.settings import Settings, read_settings


def test_flags_come_before_environment_before_file_before_defaults(tmp_path, monkeypatch):
    """Each source fills what those before it left open."""
    file = tmp_path / "booth.toml"
    file.write_text('port = 1001\nidle_minutes = 5\nhosts = ["a.example"]\n')
    monkeypatch.setenv("CUTIS_PORT", "1002")
    monkeypatch.setenv("CUTIS_IDLE_MINUTES", "6")

    read = read_settings(Settings, file, port=1003, host=None)

    assert (read.port, read.idle_minutes, read.hosts, read.host) == (1003, 6, ("a.example",), "127.0.0.1")


def test_an_unknown_key_is_named_with_those_that_are_known(tmp_path):
    """Nobody sets what does nothing."""
    file = tmp_path / "booth.toml"
    file.write_text("prot = 1\n")

    with pytest.raises(UserError) as caught:
        read_settings(Settings, file)

    assert "prot" in caught.value.what
    assert "port" in caught.value.mend


@pytest.mark.parametrize("text", ["port = ", "port = 99999", 'address = "ftp://x"', 'address = "https://x/booth"'])
def test_what_does_not_fit_is_refused(tmp_path, text):
    """No TOML, no port, no address."""
    file = tmp_path / "booth.toml"
    file.write_text(text)

    with pytest.raises(UserError):
        read_settings(Settings, file)


def test_a_missing_file_is_refused(tmp_path):
    """A path that leads nowhere is no empty file."""
    with pytest.raises(UserError, match="no such file"):
        read_settings(Settings, tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("flags", "is_public", "origin"),
    [
        ({}, False, "http://127.0.0.1:8471"),
        ({"host": "0.0.0.0"}, True, "http://0.0.0.0:8471"),  # noqa: S104
        ({"host": "::1"}, False, "http://[::1]:8471"),
        ({"address": "https://booth.example.org/"}, True, "https://booth.example.org"),
    ],
)
def test_who_can_reach_it_follows_from_address_and_host(flags, is_public, origin):
    """A proxy's address makes it public, although it listens on this machine alone."""
    read = read_settings(Settings, **flags)

    assert (read.is_public, read.origin) == (is_public, origin)
