"""Is this machine ready? Each check says what it found, and how to mend what is missing."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

GIB = 2**30
PYTHON_FLOOR = (3, 11)
FEW_CORES, LITTLE_MEMORY, LITTLE_DISK, NO_DISK = 2, 4 * GIB, 5 * GIB, 1 * GIB
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)\s*>=\s*(?P<floor>[\d.]+)(?:.*extra == ['\"](?P<extra>\w+)['\"])?")
ASK_TORCH = """
import json, torch
names = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
print(json.dumps({"accelerators": names, "threads": torch.get_num_threads()}))
"""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing looked at. `state` is "ok", "warn" (cutis works, but …) or "fail" (it does not)."""

    name: str
    state: str
    found: str
    mend: str = ""


def examine(workspace: Path) -> tuple[Check, ...]:
    """Look at Python, processor, memory, disk, libraries, accelerator and the workspace; changes nothing.

    PyTorch is asked in a process of its own, so that a broken installation is told and not suffered.
    """
    return (_python(), _cores(), _memory(), _disk(workspace), _writable(workspace), *_libraries(), *_torch())


def _python() -> Check:
    enough = sys.version_info >= PYTHON_FLOOR
    mend = "" if enough else f"install Python {'.'.join(map(str, PYTHON_FLOOR))} or newer"
    return Check(name="Python", state="ok" if enough else "fail", found=platform.python_version(), mend=mend)


def _cores() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    mend = "" if cores >= FEW_CORES else "training will be slow; give it two cores or more"
    return Check(name="cores", state="warn" if mend else "ok", found=str(cores), mend=mend)


def _memory() -> Check:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    lent = Path("/sys/fs/cgroup/memory.max")  # a container may be given less than the machine has
    if lent.exists() and lent.read_text().strip().isdigit():
        total = min(total, int(lent.read_text()))
    mend = "" if total >= LITTLE_MEMORY else "train with a smaller batch, or on a machine with 4 GiB or more"
    return Check(name="memory", state="warn" if mend else "ok", found=f"{total / GIB:.1f} GiB", mend=mend)


def _disk(workspace: Path) -> Check:
    free = shutil.disk_usage(_nearest(workspace)).free
    state = "fail" if free < NO_DISK else "warn" if free < LITTLE_DISK else "ok"
    mend = "" if state == "ok" else "free some space, or choose another --workspace"
    return Check(name="free disk", state=state, found=f"{free / GIB:.1f} GiB at {_nearest(workspace)}", mend=mend)


def _writable(workspace: Path) -> Check:
    folder = _nearest(workspace)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Check(name="workspace", state="ok", found=f"{workspace} can be written")
    except OSError as error:
        mend = "change the permissions, or choose another --workspace"
        return Check(name="workspace", state="fail", found=f"{folder}: {error.strerror}", mend=mend)


def _nearest(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())


def _libraries() -> Iterator[Check]:
    """Hold every library that is installed, or needed always, to the floor that cutis itself declares."""
    try:
        required = metadata.requires("cutis") or []
    except metadata.PackageNotFoundError:
        yield Check(name="cutis", state="fail", found="not installed", mend="pip install -e . in the checkout")
        return
    found = [match for match in map(REQUIREMENT.match, required) if match]
    for extra in sorted({match["extra"] or "" for match in found}):
        checks = [_library(match["name"], match["floor"], extra) for match in found if (match["extra"] or "") == extra]
        if extra and all(check.found == "not installed" for check in checks):
            yield Check(name=f"extra [{extra}]", state="warn", found="not installed", mend=_how_to_install(extra))
        else:
            yield from checks


def _library(name: str, floor: str, extra: str) -> Check:
    state = "warn" if extra else "fail"
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(name=name, state=state, found="not installed", mend=_how_to_install(extra))
    if _numbers(version) >= _numbers(floor):
        return Check(name=name, state="ok", found=version)
    return Check(name=name, state=state, found=f"{version}, older than {floor}", mend=_how_to_install(extra))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def _how_to_install(extra: str) -> str:
    return f"pip install --upgrade 'cutis[{extra}]'" if extra else "pip install --upgrade cutis"


def _torch() -> Iterator[Check]:
    """Ask PyTorch, where there is one, what it computes on."""
    if util.find_spec("torch") is None:
        return
    asked = subprocess.run([sys.executable, "-c", ASK_TORCH], capture_output=True, text=True, check=False)  # noqa: S603  our own words
    if asked.returncode:
        last = (asked.stderr.strip().splitlines() or ["no answer"])[-1]
        yield Check(name="PyTorch", state="fail", found=f"cannot be imported: {last}", mend=_how_to_install("train"))
        return
    answer = json.loads(asked.stdout.splitlines()[-1])
    names = ", ".join(answer["accelerators"]) or "none; training runs on the processor"
    yield Check(name="accelerator", state="ok", found=names)
    cores, threads = int(_cores().found), answer["threads"]
    mend = "" if threads <= cores else f"set OMP_NUM_THREADS={cores}"
    yield Check(name="OpenMP threads", state="warn" if mend else "ok", found=f"{threads} on {cores} cores", mend=mend)
