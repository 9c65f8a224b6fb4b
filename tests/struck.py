"""Trainings in processes of their own that are struck: at the next checkpoint, or at a moment drawn by chance."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from cutis.vocabulary.errors import UserError
from cutis.workspace import Workspace, alone_in

NAME = "struck"
EARLY = 0.2  # share of the kills that come in the first seconds
PROGRAM = """
import torch
torch.set_num_threads(1)
from pathlib import Path
from cutis.train.stage import train
from cutis.workspace import Workspace
if __name__ == "__main__":
    train(Workspace(Path({root!r})), settings={settings!r}, name={name!r}, processes={processes})
"""


def folder_of(root: Path) -> Path:
    """Where the unfinished training lies."""
    return Workspace(root).partial(Workspace(root).bundle(NAME))


def begin(
    root: Path, settings: tuple[str, ...], *, processes: int = 1, stderr: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """Start or go on with a training of the bundle "struck"; its program lies in a file, as several processes need."""
    program = root.parent / "train_it.py"
    program.write_text(PROGRAM.format(root=str(root), settings=settings, name=NAME, processes=processes))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, program], env=environment, stderr=stderr)


def until_a_checkpoint(root: Path, settings: tuple[str, ...], blow: signal.Signals) -> None:
    """Strike when a new checkpoint has appeared."""
    before = _checkpoints(root)
    process = begin(root, settings)
    _wait_for_a_checkpoint(process, root, before)
    process.send_signal(blow)
    process.wait(timeout=60)
    assert process.returncode != 0


def at_random(
    root: Path, settings: tuple[str, ...], *, kills: int, processes: int, random: np.random.Generator
) -> list[str]:
    """Kill so many times, each at a moment drawn by chance: the program, or one of its processes.

    Some moments lie in its first seconds, the others after it has come further than it was.

    Returns:
        What was found on disk at each kill: the name of the newest checkpoint.
    """
    found = []
    for _ in range(kills):
        before = _checkpoints(root)
        process = begin(root, settings, processes=processes)
        _wait_for_a_start(process)
        if random.uniform() < EARLY:
            time.sleep(random.uniform(0, 3))
        else:
            _wait_for_a_checkpoint(process, root, before)
            time.sleep(random.uniform(0, 1))
        victims = [process.pid, *_children(process.pid)]
        os.kill(victims[random.integers(len(victims))], signal.SIGKILL)
        process.wait(timeout=60)
        _wait_until_all_are_gone(root)
        found.append(max(_checkpoints(root), default=""))
    return found


def one_rank(root: Path, settings: tuple[str, ...]) -> tuple[float, str]:
    """Kill one of two processes when there is a checkpoint; return the seconds until all is over, and what was told."""
    process = begin(root, settings, processes=2, stderr=subprocess.PIPE)
    _wait_for_a_checkpoint(process, root, set())
    os.kill(_children(process.pid)[-1], signal.SIGKILL)
    killed = time.monotonic()
    _, told = process.communicate(timeout=60)
    _wait_until_all_are_gone(root)
    return time.monotonic() - killed, told.decode()


def _checkpoints(root: Path) -> set[str]:
    return {path.name for path in (folder_of(root) / "checkpoints").glob("*.safetensors")}


def _wait_for_a_checkpoint(process: subprocess.Popen[bytes], root: Path, before: set[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None and not _checkpoints(root) - before:
        time.sleep(0.01)


def _wait_for_a_start(process: subprocess.Popen[bytes]) -> None:
    """Wait for the imports alone, which take seconds and are nothing to be killed in."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if "libtorch" in Path(f"/proc/{process.pid}/maps").read_text(errors="replace"):
            return
        time.sleep(0.02)


def _children(pid: int) -> list[int]:
    """The processes that share a training; not the one in which Python keeps track of its resources."""
    command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)]  # uncut, however narrow the terminal is said to be
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(line.split()[0]) for line in found.stdout.splitlines() if "resource_tracker" not in line]


def _wait_until_all_are_gone(root: Path) -> None:
    """The processes that are left over end by themselves; until then nobody else may begin."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        try:
            with alone_in(folder_of(root).parent):
                return
        except UserError:
            time.sleep(0.05)
    raise AssertionError("a process of the killed training lives on")
