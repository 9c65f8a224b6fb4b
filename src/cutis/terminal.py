"""How a verb speaks: its answer as text or as JSON, its errors in three lines, its exit code.

Standard output carries the answer and nothing else; progress and complaints go to standard error.
"""

import inspect
import json
import shlex
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from cutis.progress import say
from cutis.vocabulary.circumstances import circumstances
from cutis.vocabulary.errors import UserError
from cutis.vocabulary.files import stamp
from cutis.workspace import Finished, no_space_left_is_a_user_error

WORK = Path("work")  # where everything lies that is not told otherwise
# Which extra brings a library; what is not named here, training brings.
EXTRAS = {"psycopg": "postgres", "tensorboard": "tracking", "mlflow": "tracking"} | dict.fromkeys(
    (
        "alembic",
        "argon2",
        "fastapi",
        "prometheus_client",
        "pydantic_settings",
        "python_multipart",
        "reportlab",
        "sqlalchemy",
        "starlette",
        "structlog",
        "uvicorn",
    ),
    "serve",
)
STOPPED = 130  # what a shell expects of a program that Ctrl-C ended

Json = Annotated[bool, typer.Option("--json", help="Answer as one JSON object on standard output.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Tell versions and seconds, and the traceback of an error.")
]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What there is to tell: to a person, to a program, and to the shell."""

    lines: tuple[str, ...] = ()
    content: dict[str, Any]
    errors: tuple[UserError, ...] = ()
    exit_code: int = 0


def verb(
    app: typer.Typer, name: str | None = None
) -> Callable[[Callable[..., Finished | Answer]], Callable[..., None]]:
    """Register a command under its own name, or another one; what it returns is told, and so is what went wrong.

    The command gets two more options, which every verb has: --json and --verbose.
    """

    def register(command: Callable[..., Finished | Answer]) -> Callable[..., None]:
        def spoken(*, as_json: bool, verbose: bool, **given: Any) -> None:
            started = time.monotonic()
            answer = _answer(command, given, verbose=verbose)
            if verbose:
                say(f"{time.monotonic() - started:.1f} s with {json.dumps(circumstances())}")
            tell(answer, as_json=as_json)

        common = {"as_json": Json, "verbose": Verbose}
        keyword = inspect.Parameter.KEYWORD_ONLY
        added = [inspect.Parameter(name, keyword, default=False, annotation=kind) for name, kind in common.items()]
        signature = inspect.signature(command)
        spoken.__name__, spoken.__doc__ = command.__name__, command.__doc__
        spoken.__annotations__ = command.__annotations__ | common
        spoken.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*signature.parameters.values(), *added]
        )
        return app.command(name)(spoken)

    return register


def tell(answer: Answer, *, as_json: bool) -> None:
    """Print an answer, and its errors beside it.

    Raises:
        Exit: the answer's exit code, unless it is 0.
    """
    text = json.dumps(answer.content, indent=2, ensure_ascii=False) if as_json else "\n".join(answer.lines)
    if text:
        typer.echo(text)
        sys.stdout.flush()
    for error in answer.errors:
        say(f"error: {error}")
    if answer.exit_code:
        raise typer.Exit(answer.exit_code)


def plain(error: UserError) -> dict[str, Any]:
    """Return an error as plain data for JSON."""
    return stamp("error") | {"what": error.what, "where": error.where, "mend": error.mend, "exit_code": error.exit_code}


def _answer(command: Callable[..., Finished | Answer], given: dict[str, Any], *, verbose: bool) -> Answer:
    workspace = given.get("workspace", WORK)
    try:
        with _what_the_system_refuses(workspace):
            result = command(**given)
    except UserError as error:
        if verbose:
            traceback.print_exc()
        return Answer(content=plain(error), errors=(error,), exit_code=error.exit_code)
    except KeyboardInterrupt:
        say("stopped; the same command begins again, or goes on where it can")
        raise typer.Exit(STOPPED) from None
    return _answer_of(result, workspace) if isinstance(result, Finished) else result


def _answer_of(finished: Finished, workspace: Path) -> Answer:
    """Say what a stage wrote and what comes next; the next command names the workspace, unless it is the usual one."""
    following = finished.next_command
    if following and workspace != WORK:
        following += f" -w {shlex.quote(str(workspace))}"
    closing = (f"wrote  {finished.wrote}", *([f"next   {following}"] if following else []))
    content = {"facts": finished.facts, "wrote": str(finished.wrote), "next_command": following}
    return Answer(lines=(*finished.lines, *closing), content=stamp("finished") | content)


@contextmanager
def _what_the_system_refuses(workspace: Path) -> Iterator[None]:
    """Turn a full disk, a missing permission and a missing library into the error that says how to mend it."""
    try:
        with no_space_left_is_a_user_error(workspace):
            yield
    except PermissionError as error:
        mend = "change the permissions, or choose another folder"
        raise UserError("no permission", where=str(error.filename or workspace), mend=mend) from error
    except ModuleNotFoundError as error:
        if (error.name or "cutis").startswith("cutis"):
            raise
        mend = f"pip install 'cutis[{EXTRAS.get((error.name or '').partition('.')[0], 'train')}]'"
        raise UserError(f"{error.name} is not installed", where=sys.executable, mend=mend) from error
