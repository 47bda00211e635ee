"""The facts of one run that influence no result: machine, versions and time."""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import time
from pathlib import Path

import numpy as np


def run_facts() -> dict[str, str]:
    """The machine, the versions of the libraries, the time, and the scheduler's job if any."""
    facts = {
        "host": socket.gethostname(),
        "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "cpu": _cpu_name(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": _blas_name(),
    }
    job = os.environ.get("SLURM_JOB_ID")
    return facts | ({"job": job} if job else {})


def _cpu_name() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def _blas_name() -> str:
    configuration = np.show_config(mode="dicts") or {}
    blas = configuration.get("Build Dependencies", {}).get("blas", {})
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()
