"""Workers of dask: started on this machine, asked of Slurm, or found behind a scheduler. The only
module that imports dask."""

from __future__ import annotations

import contextlib
import importlib
import logging
import re
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from rsmi.engine.remote import Workers
from rsmi.errors import Failure, UsageError

log = logging.getLogger("rsmi")


def workers_of(
    scheduler: str, threads: int | None
) -> Callable[[], AbstractContextManager[Workers]]:
    """How to start, or find, the workers of ``--scheduler``; nothing is started yet.

    Parameters
    ----------
    scheduler : str
        ``local``, ``slurm``, an address such as tcp://host:8786 or tls://host:8786, or the
        scheduler's file.
    threads : int, optional
        Workers to start, of one thread each; None stands for one a core.

    Raises
    ------
    UsageError
        If it is none of these, or dask is not installed.
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
            raise UsageError("--scheduler slurm: say by --threads how many workers to ask for")
        return lambda: _connected(distributed, scheduler, lambda: _slurm(jobqueue, threads))
    if scheduler.startswith("tls:") and not _has_certificate(distributed):
        raise UsageError(
            f"--scheduler {scheduler}: needs a certificate: set distributed.comm.tls.ca-file and"
            " .client.cert and .client.key in the configuration of dask"
        )
    return lambda: _connected(distributed, scheduler, None)


def _has_certificate(distributed) -> bool:
    """Whether the user's configuration says how to prove who we are; a loader of theirs is not
    asked here."""
    try:
        return bool(
            importlib.import_module("dask.config").get("distributed.client.security-loader", None)
            or distributed.Security().get_connection_args("client").get("ssl_context")
        )
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--scheduler: the certificate in the configuration of dask cannot be used ({error})"
        ) from error


def _required(package: str, scheduler: str):
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise UsageError(
            f"--scheduler {scheduler}: needs {package}, which cannot be imported ({error}): pip"
            ' install "rsmi[dask]"'
        ) from error


def _local(distributed, threads: int | None):
    return distributed.LocalCluster(
        n_workers=threads,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    )


def _slurm(jobqueue, workers: int):
    """What a job is says the user's configuration of dask, under jobqueue.slurm."""
    cluster = jobqueue.SLURMCluster()
    try:
        _check_accepted(cluster.job_script())
    except BaseException:
        cluster.close()
        raise
    cluster.scale(workers)
    return cluster


def _check_accepted(script: str) -> None:
    """Whether Slurm would take such a job: of one it refuses dask says nothing, and waits for
    ever."""
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        answer = subprocess.run(
            ["sbatch", "--test-only", file.name], capture_output=True, text=True
        )
    if answer.returncode:
        raise RuntimeError(answer.stderr)


@contextlib.contextmanager
def _connected(distributed, scheduler: str, start: Callable | None):
    """The workers, for as long as the context lasts; those that were started for it end with it."""
    logging.getLogger("distributed").setLevel(
        logging.CRITICAL
    )  # what matters comes back as an exception
    with contextlib.ExitStack() as stack:
        try:
            with warnings.catch_warnings(
                action="ignore"
            ):  # of versions that differ, and of ports that are taken
                cluster = stack.enter_context(start()) if start else None
                place = (
                    {"scheduler_file": scheduler}
                    if Path(scheduler).is_file() and not start
                    else {"address": cluster or scheduler}
                )
                client = stack.enter_context(distributed.Client(**place, set_as_default=False))
        except (
            OSError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:  # TimeoutError is an OSError
            raise Failure(
                f"--scheduler {scheduler}: cannot be reached or started"
                f" ({' '.join(str(error).split())[:300]})"
            ) from error
        workers = DaskWorkers(distributed, client)
        if not workers.alive():
            log.info("--scheduler %s: no worker yet, waiting for the first", scheduler)
        yield workers


class DaskWorkers:
    """The workers that a client of dask knows; see `rsmi.engine.remote.Workers`."""

    def __init__(self, distributed, client):
        self._client = client
        self.executor = client.get_executor(pure=False)
        self.lost = (distributed.scheduler.KilledWorker,)

    def alive(self) -> bool:
        return self._client.status == "running" and bool(
            self._client.scheduler_info(n_workers=-1)["workers"]
        )
