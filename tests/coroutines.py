"""Coroutines, run to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def awaited(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a coroutine function returns.

    It runs in a thread of its own: the driver of a browser that other tests keep may hold a loop in this one.
    """
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(lambda: asyncio.run(function(*arguments))).result()
