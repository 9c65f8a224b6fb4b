"""The verbs beside a running clinic: ``cutis journal …`` and ``cutis clinic …``.

Each opens what the server keeps by the same settings; the server may run meanwhile, unless a verb says otherwise.
"""

import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutis.terminal import Answer, verb
from cutis.vocabulary.files import stamp
from cutis.workspace import Finished

if TYPE_CHECKING:
    from cutis.web.tokens import Token

journal = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Check and export what was answered, shown and said."
)
clinic = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Look after what a clinic's server keeps.")
token = typer.Typer(rich_markup_mode=None, no_args_is_help=True, help="Let programs in, and shut them out.")
clinic.add_typer(token, name="token")

Settings = Annotated[
    Path | None, typer.Option(metavar="CLINIC.toml", help="Settings of the server; flags and environment come before.")
]
Folder = Annotated[
    Path | None, typer.Option(metavar="DIR", file_okay=False, help="What the server keeps; clinic, if not given.")
]
DatabaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Another database than the folder's own, such as PostgreSQL.")
]


@verb(clinic)
def administrator(
    *,
    name: Annotated[str, typer.Option(help="To sign in with.")] = "administrator",
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Answer:
    """Give the administrator a name and a password, which is asked for: what a public address needs before it opens.

    It is read from standard input where that is no terminal.
    """
    from cutis.serve.arrivals import set_administrator
    from cutis.serve.opening import opened

    if sys.stdin.isatty():
        password = typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    with opened(settings, folder=folder, database=database) as kept:
        is_new = set_administrator(kept.database, kept.vault, name=name, password=password, now=time.time())
        origin = kept.settings.origin
    line = f"{name} can sign in at {origin}" if is_new else f"{name} has a new password"
    return Answer(lines=(line,), content=stamp("finished") | {"facts": {"name": name, "is_new": is_new}})


@verb(journal)
def verify(
    *,
    anchors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A copy of anchors.jsonl that lies elsewhere.")
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="PEM", help="anchors.pub.pem of the site, for who has no master key.")
    ] = None,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Answer:
    """Say whether the journal still says what was written; ends with 3 and the first bad entry, where it does not."""
    from cutis.serve.keeping import audited
    from cutis.vocabulary.errors import SafetyRefusal

    verdict = audited(settings, anchors=anchors, key=key, folder=folder, database=database)
    told = {"entries": verdict.entries, "anchored": verdict.anchored, "head": verdict.head}
    content = stamp("audit") | told | {"is_whole": verdict.broken is None, "broken": None}
    if verdict.broken is None:
        open_end = verdict.entries - verdict.anchored
        end = f"{open_end:,} of them after the last anchor" if verdict.anchored else "no anchor vouches for any of them"
        line = f"whole: {verdict.entries:,} entries, {end}"
        return Answer(lines=(line,), content=content)
    what = f"the journal is broken at entry {verdict.broken.number}: {verdict.broken.why}"
    mend = "keep everything as it is, and hold it against a back-up"
    error = SafetyRefusal(what, where=f"after {verdict.entries:,} entries that fit", mend=mend)
    return Answer(content=content | {"broken": verdict.broken._asdict()}, errors=(error,), exit_code=error.exit_code)


@verb(journal)
def export(
    into: Annotated[Path, typer.Argument(metavar="FILE.jsonl", dir_okay=False, help="Is written; a line per entry.")],
    *,
    decrypt: Annotated[
        bool, typer.Option("--decrypt", help="Open what is sealed, by the master key; the journal will say so.")
    ] = False,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Finished:
    """Write the journal as lines of JSON; cases that were erased are marked where what was sealed is opened."""
    from cutis.serve.keeping import export_journal

    count = export_journal(into, settings, decrypt=decrypt, folder=folder, database=database)
    return Finished(wrote=into, lines=(f"{count:,} entries",), facts={"entries": count}, next_command="")


@verb(clinic)
def backup(
    into: Annotated[Path, typer.Argument(metavar="DIR", help="Is made; the server may run meanwhile.")],
    *,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Finished:
    """Write one state of everything into a sealed folder, but for the master key: keep that one elsewhere."""
    from cutis.serve import keeping

    made = keeping.backup(into, settings, folder=folder, database=database)
    lines = (f"{made.entries:,} entries of the journal, in {made.kind}", "the master key is not in it")
    facts = {"entries": made.entries, "database": made.kind, "master_key": made.master_key}
    return Finished(wrote=into, lines=lines, facts=facts, next_command=f"cutis clinic restore {into} --folder NEW")


@verb(clinic)
def restore(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="That clinic backup wrote.")],
    *,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Answer:
    """Bring a back-up into an empty place; its journal is checked, and what was erased since is erased again."""
    from cutis.serve import keeping

    found = keeping.restore(source, settings, folder=folder, database=database)
    facts = {"entries": found.entries, "erased": found.erased, "lost": found.lost}
    facts |= {"accounts": found.accounts, "tokens": found.tokens}
    lines = [f"{found.entries:,} entries of the journal came back, and it is whole"]
    if found.erased:
        lines.append(f"{found.erased:,} cases were erased again, as they had been since")
    if found.lost:
        lines.append(f"{found.lost:,} entries are lost that were written after the back-up")
    if found.accounts or found.tokens:
        told = f"{found.accounts} accounts and {found.tokens} tokens came back as they were then"
        lines.append(f"{told}: take away those that were taken away since")
    return Answer(lines=tuple(lines), content=stamp("finished") | {"facts": facts})


@verb(clinic)
def erase(
    case: Annotated[str, typer.Argument(metavar="CASE", help="The id that stands in the address of its page.")],
    *,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Answer:
    """Destroy the key of a case: nothing of it can be read any more, and nobody brings it back."""
    from cutis.serve import keeping

    keeping.erase(case, settings, folder=folder, database=database)
    return Answer(lines=(f"{case} is erased",), content=stamp("finished") | {"facts": {"erased": case}})


@verb(clinic)
def retain(
    *,
    days: Annotated[
        float | None, typer.Option(min=0.0, help="Cases older than so many; retention_days, if not given.")
    ] = None,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Answer:
    """Erase every case that nobody came back for within the days that the site keeps them."""
    from cutis.serve import keeping

    count = keeping.retain(settings, retention_days=days, folder=folder, database=database)
    return Answer(lines=(f"{count:,} cases erased",), content=stamp("finished") | {"facts": {"erased": count}})


@verb(clinic)
def labels(
    to: Annotated[Path, typer.Argument(metavar="TO_FOLDER", help="To be made; cutis curate reads it.")],
    *,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Finished:
    """Write pictures with histology and blind raters' labels to a folder for the next dataset.

    What was said after an answer was seen is not among them. The folder is not encrypted.
    """
    from cutis.serve.labels.collecting import labels_of

    return labels_of(to, settings=settings, folder=folder, database=database)


@verb(clinic)
def acceptance(
    *,
    limits: Annotated[Path | None, typer.Option(metavar="LIMITS.toml", help="Put these limits into force.")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take untested limits out of force.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Run the test that was planned, once.")] = False,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Answer:
    """Say how far the acceptance test is, set its limits, or run it; answers are shown by the page alone."""
    from cutis.serve.acceptance.told import at_the_terminal

    told = at_the_terminal(
        limits=limits, withdraw=withdraw, test=test, settings=settings, folder=folder, database=database
    )
    return Answer(lines=told.lines, content=stamp("acceptance") | told.content)


@verb(token)
def make(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for, such as 'reporting system'.")],
    *,
    scope: Annotated[list[str], typer.Option("--scope", help="diagnose, read or metrics; may be given several times.")],
    days: Annotated[float, typer.Option(min=0.01, help="Until it ends.")] = 365,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Answer:
    """Make a token for a program; its secret is shown once, and kept nowhere."""
    from cutis.serve.opening import opened
    from cutis.serve.tokens import SERVER, give_token

    with opened(settings, folder=folder, database=database) as kept, kept.database.writing() as connection:
        made = give_token(connection, kept.vault, name, scopes=scope, by=SERVER, now=time.time(), days=days)
    lines = (
        made.secret,
        f"{made.token.name}: {', '.join(sorted(made.token.scopes))}, until {_day(made.token.ends_at)}",
    )
    return Answer(lines=lines, content=stamp("token") | _said(made.token) | {"secret": made.secret})


@verb(token, "list")
def all_of_them(*, settings: Settings = None, folder: Folder = None, database: DatabaseUrl = None) -> Answer:
    """Say which tokens there are and were, the newest first."""
    from cutis.serve.opening import opened
    from cutis.web.tokens import tokens

    with opened(settings, folder=folder, database=database) as kept, kept.database.reading() as connection:
        found = tokens(connection)
    now = time.time()
    lines = [
        f"{each.name}: {', '.join(sorted(each.scopes))}, {'until' if each.ends_at > now else 'ended'} "
        f"{_day(each.ends_at)}, {f'last used {_day(each.used_at)}' if each.used_at else 'never used'}"
        for each in found
    ]
    content = stamp("tokens") | {"tokens": [_said(each) for each in found]}
    return Answer(lines=tuple(lines) or ("there are none",), content=content)


@verb(token)
def revoke(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of one that is in use, or its id.")],
    *,
    settings: Settings = None,
    folder: Folder = None,
    database: DatabaseUrl = None,
) -> Answer:
    """Let a token open nothing from now on, also while the server runs."""
    from cutis.serve.opening import opened
    from cutis.serve.tokens import SERVER, withdraw_token

    with opened(settings, folder=folder, database=database) as kept, kept.database.writing() as connection:
        gone = withdraw_token(connection, kept.vault, name, by=SERVER, now=time.time())
    return Answer(lines=(f"{gone.name} opens nothing from now on",), content=stamp("token") | _said(gone))


def _said(found: "Token") -> dict[str, Any]:
    return asdict(found) | {"scopes": sorted(found.scopes)}


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).date().isoformat()
