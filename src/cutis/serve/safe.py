"""What a clinic's server refuses before it starts, beside what the ground refuses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from cutis.runtime.bundle import Bundle
from cutis.runtime.ready import Trusted
from cutis.serve.settings import ClinicSettings
from cutis.vocabulary.errors import SafetyRefusal, UserError
from cutis.workspace import alone_in


def require_release(settings: ClinicSettings) -> None:
    """Refuse settings that name neither a release nor a folder of them to choose from, before anything is made.

    Raises:
        UserError: as said.
    """
    if settings.releases is None:
        trusted_release(settings)


def trusted_release(settings: ClinicSettings) -> Trusted:
    """Return which release the settings name, and whom it must be signed by.

    Raises:
        UserError: they name none.
    """
    if settings.release is None:
        mend = "name its folder: --release, CUTIS_RELEASE or release in the settings"
        raise UserError("no release is named that could answer", where="cutis serve", mend=mend)
    return Trusted(settings.release, settings.key, settings.signed)


def require_invented(settings: ClinicSettings, bundle: Bundle, *, where: str) -> None:
    """Refuse to show a real release's answers without an acceptance test.

    Raises:
        SafetyRefusal: this is a demonstration, and the release learned from pictures of people.
    """
    if settings.demonstration and not bundle.invented:
        what = "a demonstration shows answers that no acceptance test stands behind, and this release is no toy"
        mend = "leave demonstration out: the site begins silent, and shows answers after its own acceptance test"
        raise SafetyRefusal(what, where=where, mend=mend)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let no other server work in this folder; nobody but its owner sees into it.

    Raises:
        UserError: one is at work.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as held:
        try:
            held.enter_context(alone_in(folder))
        except UserError as error:
            mend = "end that server, or name another folder and database"
            raise UserError("a server is at work in this folder", where=str(folder), mend=mend) from error
        yield


def require_free_address(settings: ClinicSettings) -> None:
    """Refuse an address at which somebody listens already, before anything slow is done.

    Raises:
        UserError: it cannot be listened at.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself will
        try:
            tried.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            mend = "end the other server, or choose another host or --port"
            raise UserError(f"nobody can listen here: {error.strerror}", where=where, mend=mend) from error
