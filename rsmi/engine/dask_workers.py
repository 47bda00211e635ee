"""Workers of dask: on this machine, in jobs of Slurm, or behind a scheduler that runs already.

This is the only module that imports dask. It imports dask by name and only on demand.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import re
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

from rsmi.engine.remote import Workers
from rsmi.errors import Failure, UsageError

log = logging.getLogger("rsmi")


def workers_of(
    scheduler: str, threads: int | None
) -> Callable[[], AbstractContextManager[Workers]]:
    """A function that starts or finds the workers of ``--scheduler``; nothing is started yet.

    Parameters
    ----------
    scheduler : str
        ``local``, ``slurm``, an address such as tcp://host:8786 or tls://host:8786, or the
        scheduler's file.
    threads : int, optional
        The number of workers to start, of one thread each; one per core by default.

    Raises
    ------
    UsageError
        If ``scheduler`` is none of these, or if dask is not installed.
    """
    if (
        scheduler not in ("local", "slurm")
        and not re.fullmatch(r"(tcp|tls|ucx)://\S+", scheduler)
        and not Path(scheduler).is_file()
    ):
        raise UsageError(
            f"--scheduler {scheduler}: write local, slurm, an address such as tcp://HOST:8786 or"
            " tls://HOST:8786, or the name of a scheduler's file"
        )
    distributed = _required("distributed", scheduler)
    if scheduler == "local":
        return lambda: _connected(distributed, scheduler, lambda: _local(distributed, threads))
    if scheduler == "slurm":
        jobqueue = _required("dask_jobqueue", scheduler)
        if threads is None:
            raise UsageError("--scheduler slurm: give the number of workers by --threads")
        return lambda: _connected(distributed, scheduler, lambda: _slurm(jobqueue, threads))
    if scheduler.startswith("tls:") and not _has_certificate(distributed):
        raise UsageError(
            f"--scheduler {scheduler}: needs a certificate: set distributed.comm.tls.ca-file and"
            " .client.cert and .client.key in the configuration of dask"
        )
    return lambda: _connected(distributed, scheduler, None)


def _has_certificate(distributed: ModuleType) -> bool:
    """Whether the user's configuration of dask has a certificate, or a loader of certificates,
    which is not called here."""
    try:
        return bool(
            importlib.import_module("dask.config").get("distributed.client.security-loader", None)
            or distributed.Security().get_connection_args("client").get("ssl_context")
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--scheduler: the certificate in the configuration of dask cannot be used ({error})"
        ) from error


def _required(package: str, scheduler: str) -> ModuleType:
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise UsageError(
            f"--scheduler {scheduler}: needs {package}, which cannot be imported ({error}): pip"
            ' install "rsmi[dask]"'
        ) from error


def _local(distributed: ModuleType, threads: int | None) -> Any:
    return distributed.LocalCluster(
        n_workers=threads,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )


def _slurm(jobqueue: ModuleType, workers: int) -> Any:
    """A cluster of Slurm jobs; the user's configuration of dask, under jobqueue.slurm, describes
    the job."""
    cluster = jobqueue.SLURMCluster()
    try:
        _check_accepted(cluster.job_script())
    except BaseException:
        cluster.close()
        raise
    cluster.scale(workers)
    return cluster


def _check_accepted(script: str) -> None:
    """Ask Slurm whether it would accept such a job: dask would wait for ever for a refused job.

    Raises
    ------
    RuntimeError
        With Slurm's reason.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        answer = subprocess.run(
            ["sbatch", "--test-only", file.name], capture_output=True, text=True
        )
    if answer.returncode:
        raise RuntimeError(answer.stderr)


@contextlib.contextmanager
def _connected(
    distributed: ModuleType, scheduler: str, start: Callable[[], Any] | None
) -> Iterator[Workers]:
    """The workers, for as long as the context lasts; workers that were started for it end with
    it."""
    # The log of dask is not shown: what matters is raised as an exception.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with contextlib.ExitStack() as stack:
        try:
            # dask warns about versions that differ and about ports that are taken.
            with warnings.catch_warnings(action="ignore"):
                cluster = stack.enter_context(start()) if start else None
                place = _place(scheduler, cluster)
                client = stack.enter_context(distributed.Client(**place, set_as_default=False))
        except (OSError, RuntimeError, TypeError, ValueError) as error:  # also TimeoutError
            raise Failure(
                f"--scheduler {scheduler}: cannot be reached or started"
                f" ({' '.join(str(error).split())[:300]})"
            ) from error
        workers = DaskWorkers(distributed, client)
        if not workers.alive():
            log.info("--scheduler %s: no worker yet, waiting for the first", scheduler)
        yield workers


def _place(scheduler: str, cluster: Any) -> dict[str, Any]:
    """The argument that tells a client of dask where its scheduler is."""
    if cluster is None and Path(scheduler).is_file():
        return {"scheduler_file": scheduler}
    return {"address": scheduler if cluster is None else cluster}


class DaskWorkers:
    """The workers of a client of dask (see `rsmi.engine.remote.Workers`)."""

    def __init__(self, distributed: ModuleType, client: Any):
        self._client = client
        self.executor = client.get_executor(pure=False)
        self.lost = (distributed.scheduler.KilledWorker,)

    def alive(self) -> bool:
        """Whether there is any worker now."""
        return self._client.status == "running" and bool(
            self._client.scheduler_info(n_workers=-1)["workers"]
        )
