"""A PostgreSQL server of one's own for the tests: in a folder that goes away, reached by a socket in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY_ELSE = "postgres"  # the server refuses to run as root; this user comes with it


def programs() -> Path | None:
    """Return the folder of the server's programs, the newest one's, or None."""
    on_path = shutil.which("initdb")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def server(*, is_safe: bool = False) -> Iterator[Path]:
    """Lend a running server: the folder of its socket.

    Args:
        is_safe: whether it has on the disk what it acknowledged. No test cuts the power, and most of the time of
            hundreds of databases would be spent on that.

    Raises:
        LookupError: it is not installed, or there is no user to run it as.
    """
    where = programs()
    if where is None:
        raise LookupError("needs PostgreSQL's server")
    user = NOBODY_ELSE if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="cutis-pg-"))  # pytest's own are too deep for a socket's name
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=200"
    options += f" -c fsync={'on' if is_safe else 'off'}"
    run = {"user": user, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    data = ["-D", str(folder / "data")]
    try:
        try:
            if user:
                shutil.chown(folder, user)
            subprocess.run([where / "initdb", *data, "-A", "trust", "-U", "cutis", "--no-sync"], check=True, **run)
        except (LookupError, PermissionError) as error:
            raise LookupError(f"needs a user to run PostgreSQL as: {error}") from error
        subprocess.run(
            [where / "pg_ctl", *data, "-w", "-o", options, "-l", str(folder / "log"), "start"], check=True, **run
        )
        try:
            yield folder
        finally:
            subprocess.run([where / "pg_ctl", *data, "-m", "immediate", "stop"], check=True, **run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def url_of(folder: Path, name: str) -> str:
    """Return the URL of one of its databases."""
    return f"postgresql+psycopg://cutis@/{name}?host={folder}"
