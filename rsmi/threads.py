"""Threads, where the system allows them."""

from __future__ import annotations

import threading
from collections.abc import Callable


def start_thread(target: Callable[[], None], daemon: bool = False) -> threading.Thread | None:
    """A running thread; None if the system allows no further one."""
    thread = threading.Thread(target=target, daemon=daemon)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
