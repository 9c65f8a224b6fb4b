"""Several processes on this machine do one job; one that fails ends all, and says why."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any, NamedTuple, TypeVar

from cutis.progress import cores, say
from cutis.vocabulary.errors import Stopped, UserError

Result = TypeVar("Result")
Job = tuple[Callable[..., Any], Sequence[Any], Mapping[str, Any]]  # a function and what it is called with

ANOTHER_WAS_LOST = "another process of this training was lost"  # what those say that are left over
GO_ON = "type the same command again: it goes on from the last checkpoint"
SECONDS_TO_SAY_WHY = 3.0  # after one error, for the others to name a better reason
SECONDS_TO_SAVE = 60.0  # after one was stopped, for the others to stop too: the first may still write a checkpoint
SECONDS_TO_END = 5.0  # from the request to the kill


class Ending(NamedTuple):
    """How one process ended."""

    rank: int
    result: Any = None
    error: BaseException | None = None
    traceback: str = ""  # of what is our bug


class Child(NamedTuple):
    """One process, and the pipe through which it tells its end."""

    rank: int
    process: SpawnProcess
    pid: int
    pipe: Connection


def launch(processes: int, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
    """Call a module-level function in several new processes, and return what the first one returns.

    Each finds in its environment what `joined` reads: RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT, and
    its share of the cores as OMP_NUM_THREADS unless that is set already. SIGINT and SIGTERM are passed on, once each:
    every process has a session of its own, so that it can be ended together with those it started. None outlives
    this one. A single process is this very one.

    Raises:
        UserError: fewer than one was asked for, a process raised it, or a process died.
        RuntimeError: a process raised anything else; its traceback is on standard error.
        KeyboardInterrupt: they were interrupted.
    """
    if processes < 1:
        raise UserError(
            f"{processes} processes cannot train", where="--processes", mend="give 1 or more; 1 is the usual"
        )
    if processes == 1:
        return function(*args, **kwargs)
    if processes > cores():
        say(f"{processes} processes share {cores()} cores, so this is slower than {cores()} processes would be")
    children: list[Child] = []
    endings: list[Ending] = []
    with _passing_on_signals(children) as interrupted:
        try:
            _start(processes, children, (function, args, kwargs))
            endings = _endings(children, interrupted)
        finally:
            _end(children, ask=len(endings) < processes or any(ending.error for ending in endings))
    result: Result = _outcome(endings)
    return result


def _start(processes: int, children: list[Child], job: Job) -> None:
    context = multiprocessing.get_context("spawn")
    port = _free_port()
    for rank in range(processes):
        hears, tells = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(tells, rank, processes, job), name=f"rank {rank}")
        # It inherits these at its very start, since the function's module may import torch before `_child` runs.
        with _environment(_place(rank, processes, port)):
            process.start()
        tells.close()  # so that its death ends the pipe
        assert process.pid is not None
        children.append(Child(rank, process, process.pid, hears))


def _place(rank: int, processes: int, port: int) -> dict[str, str]:
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, cores() // processes))
    return {
        "RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_RANK": str(rank),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": threads,
        "TORCHELASTIC_USE_AGENT_STORE": str(False),  # they meet by themselves, also below a torchrun
    }


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _child(pipe: Connection, rank: int, processes: int, job: Job) -> None:
    """Do the job and tell its end; this is the first thing that runs in a new process."""
    os.setsid()  # a Ctrl-C comes from the parent alone, and one kill reaches this process's own helpers too
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    ending = _work(rank, processes, job)
    pipe.send(ending)
    if ending.error is not None:
        os._exit(1)  # a broken process group can hang or abort an orderly exit


def _work(rank: int, processes: int, job: Job) -> Ending:
    function, args, kwargs = job
    try:
        result = function(*args, **kwargs)
        return Ending(rank, result=result if rank == 0 else None)
    except UserError as error:
        return Ending(rank, error=error)
    except KeyboardInterrupt:
        return Ending(rank, error=KeyboardInterrupt())
    except BaseException:  # noqa: BLE001  it is raised again, in the parent
        failed = RuntimeError(f"process {rank + 1} of {processes} (rank {rank}) failed; its traceback stands above")
        return Ending(rank, error=failed, traceback=traceback.format_exc())


def _die_with_parent() -> None:
    """End at once when the parent is gone: nobody would hear the result, and the user may have started anew."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.killpg(os.getpgrp(), signal.SIGKILL)


@contextmanager
def _passing_on_signals(children: Sequence[Child]) -> Iterator[threading.Event]:
    """Hand Ctrl-C and SIGTERM to the children, who decide; lend an event that tells whether one came."""
    interrupted = threading.Event()

    def pass_on(number: int, _frame: FrameType | None) -> None:
        interrupted.set()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child.pid, number)

    if threading.current_thread() is not threading.main_thread():
        yield interrupted
        return
    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _endings(children: Sequence[Child], interrupted: threading.Event) -> list[Ending]:
    """Wait until all have ended, or until one has failed and the others had their time; in the order they ended."""
    endings: list[Ending] = []
    waiting = list(children)
    deadline: float | None = None
    while waiting:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready = wait([child.pipe for child in waiting], timeout=left)
        if not ready:
            break
        for child in [child for child in waiting if child.pipe in ready]:
            waiting.remove(child)
            ending, patience = _hear(child, of=len(children), interrupted=interrupted)
            endings.append(ending)
            if patience is not None:
                until = time.monotonic() + patience
                deadline = until if deadline is None else min(deadline, until)
    return endings


def _hear(child: Child, *, of: int, interrupted: threading.Event) -> tuple[Ending, float | None]:
    """Return how a process ended, and for how many seconds the others may go on; None is for ever."""
    try:
        ending: Ending = child.pipe.recv()
    except (EOFError, OSError):  # it died before a word, or within one
        return _death(child, of=of, interrupted=interrupted), 0.0
    match ending.error:
        case None:
            return ending, None
        case Stopped():
            return ending, SECONDS_TO_SAVE
        case _:
            return ending, SECONDS_TO_SAY_WHY


def _death(child: Child, *, of: int, interrupted: threading.Event) -> Ending:
    child.process.join(SECONDS_TO_END)
    if interrupted.is_set():  # it was not yet far enough to answer the signal
        return Ending(child.rank, error=KeyboardInterrupt())
    code = child.process.exitcode
    how = f"killed by signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    mend = f"{GO_ON}; if it was killed for want of memory, lower batch_size or raise accumulate"
    error = UserError(f"process {child.rank + 1} of {of} was lost ({how})", where="this machine", mend=mend)
    return Ending(child.rank, error=error)


def _end(children: Sequence[Child], *, ask: bool) -> None:
    """Leave no process behind: ask them to end, and after some seconds kill what is left, with its own helpers."""
    if ask:
        for child in children:
            child.process.terminate()
    deadline = time.monotonic() + SECONDS_TO_END
    for child in children:
        child.process.join(max(0.0, deadline - time.monotonic()))
        child.process.kill()
        with suppress(ProcessLookupError, PermissionError):  # it has ended, with all that it started
            os.killpg(child.pid, signal.SIGKILL)
        child.process.join()
        child.pipe.close()


def _outcome(endings: Sequence[Ending]) -> Any:
    """Return what the first process returned, or raise what began the trouble."""
    failed = [ending for ending in endings if ending.error is not None]
    if not failed:
        return next(ending.result for ending in endings if ending.rank == 0)
    for ending in failed:
        if ending.traceback:
            say(f"process {ending.rank + 1} (rank {ending.rank}):\n{ending.traceback}")
    cause = min(failed, key=_remoteness).error
    assert cause is not None
    raise cause


def _remoteness(ending: Ending) -> int:
    """How far an error lies from the cause: those that are left over only tell that another was lost."""
    match ending.error:
        case UserError(what=what) if what == ANOTHER_WAS_LOST:
            return 3
        case KeyboardInterrupt():
            return 2
        case Stopped():
            return 1
        case _:
            return 0
