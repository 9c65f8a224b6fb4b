"""How the first people come in: by a link that is good once, or by a password set where the server stands."""

from __future__ import annotations

from sqlalchemy import Connection

from cutis.serve.clinic import Clinic
from cutis.serve.journal import SERVER, Entry, Kind, write
from cutis.serve.vault import Vault
from cutis.vocabulary.errors import UserError
from cutis.web.accounts import Role, account_named, can_sign_in, first_of, make_link, revoke_links, set_password
from cutis.web.database import Database
from cutis.web.ground import Ground
from cutis.web.passwords import LONGEST, SHORTEST, hash_alone
from cutis.web.sessions import close_sessions

HOUR = 1 / 24  # days


def first_links(clinic: Clinic, ground: Ground, *, wanted: bool = False) -> tuple[str, ...]:
    """Return what is told on the terminal at the start, a line for each link.

    Args:
        clinic: a demonstration has a clinician's link too, so that the page can be looked at.
        ground: of its site.
        wanted: make the administrator's also where one has a password.
    """
    lines = []
    with ground.database.reading() as connection:
        is_owned = can_sign_in(connection, Role.ADMINISTRATOR)
    if wanted or not is_owned:
        lines.append(f"administrator: {_link_of(clinic, ground, Role.ADMINISTRATOR)}  (good once, for an hour)")
    if clinic.settings.demonstration:
        lines.append(f"clinician:     {_link_of(clinic, ground, Role.CLINICIAN)}  (good once, for an hour)")
    return tuple(lines)


def set_administrator(database: Database, vault: Vault, *, name: str, password: str, now: float) -> bool:
    """Give the administrator a name and a password; the account is made where there is none, and its sessions end.

    Returns:
        Whether the name is a new one for that account.

    Raises:
        UserError: the password is too short or too long, the name empty, or somebody else's.
    """
    where = "cutis clinic administrator"
    if not SHORTEST <= len(password) <= LONGEST:
        mend = f"choose one of {SHORTEST} to {LONGEST} letters, such as four words"
        raise UserError("this password does not fit", where=where, mend=mend)
    if not name.strip():
        raise UserError("there is no name to sign in with", where=where, mend="give one by --name")
    stored = hash_alone(password)
    with database.writing() as connection:
        found = account_named(connection, name)
        if found is not None and found.role is not Role.ADMINISTRATOR:
            raise UserError("somebody else has this name", where=where, mend="choose another one by --name")
        account = found.id if found else first_of(connection, Role.ADMINISTRATOR, now=now)
        set_password(connection, account, name=name, password=stored)
        revoke_links(connection, account)
        close_sessions(connection, account)
        _write(connection, vault, "password set", account, role=Role.ADMINISTRATOR, now=now)
    return found is None


def _link_of(clinic: Clinic, ground: Ground, role: Role) -> str:
    with ground.database.writing() as connection:
        account = first_of(connection, role, now=ground.now())
        token = make_link(connection, account, now=ground.now(), days=HOUR, once=True)
        _write(connection, clinic.vault, "link made", account, role=role, now=ground.now())
    return f"{ground.settings.origin}/join#{token}"


def _write(connection: Connection, vault: Vault, did: str, account_id: str, *, role: Role, now: float) -> None:
    """Write down what was done where the server stands: by whom, only who may sit there knows."""
    told = {"did": did, "account": account_id, "role": role.value}
    write(connection, vault, Entry(kind=Kind.ACCOUNT, by=SERVER, open=told), now=now)
