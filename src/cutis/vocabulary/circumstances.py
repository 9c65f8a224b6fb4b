"""Under which circumstances a result was made: versions, threads, processor."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from cutis import __version__

LIBRARIES = ("numpy", "scipy", "sklearn", "pandas", "pyarrow", "PIL", "torch", "timm", "captum", "openTSNE")


def circumstances() -> dict[str, object]:
    """Versions of what is loaded, threads and processor; imports nothing itself."""
    return {
        "cutis": __version__,
        "python": platform.python_version(),
        "libraries": {name: sys.modules[name].__version__ for name in LIBRARIES if name in sys.modules},
        "threads": _threads(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _threads() -> int:
    if "torch" in sys.modules:
        return int(sys.modules["torch"].get_num_threads())
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
