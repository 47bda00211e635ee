"""Workers of dask: on this machine, in jobs of Slurm, or behind a scheduler that runs already.

This is the only module that imports dask. It imports dask by name and only on demand.

Whoever can reach a scheduler or a worker of dask can run programs as its user. What this module
starts therefore talks by TLS, with certificates that are made for the command and end with it, and
only this machine reaches the dashboards. A certificate in the user's configuration of dask is used
instead, if there is one.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import logging
import os
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

_DASHBOARD = "127.0.0.1:0"


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
    if scheduler in ("local", "slurm") and not _has_certificate(distributed):
        _required("cryptography", scheduler)
    if scheduler == "local":
        return lambda: _connected(distributed, scheduler, lambda: _local(distributed, threads))
    if scheduler == "slurm":
        jobqueue = _required("dask_jobqueue", scheduler)
        if threads is None:
            raise UsageError("--scheduler slurm: give the number of workers by --threads")
        start = functools.partial(_slurm, distributed, jobqueue, threads)
        return lambda: _connected(distributed, scheduler, start)
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


def _security(distributed: ModuleType, folder: str | None = None) -> Any:
    """The certificates of the user's configuration, or new ones that nobody else has, which lie in
    a folder if other machines need them."""
    if _has_certificate(distributed):
        return distributed.Security(require_encryption=True)
    security = distributed.Security.temporary()
    if folder is None:
        return security
    settings: dict[str, Any] = {"require_encryption": True}
    for role in ("scheduler", "worker", "client"):
        contents = security.get_tls_config_for_role(role)
        settings["tls_ca_file"] = _stored(folder, "ca", contents["ca_file"])
        for name in ("key", "cert"):
            settings[f"tls_{role}_{name}"] = _stored(folder, f"{role}-{name}", contents[name])
    return distributed.Security(**settings)


def _stored(folder: str, name: str, content: str) -> str:
    """The path of a new file of a folder that only this user may enter."""
    path = Path(folder, f"{name}.pem")
    path.write_text(content)
    return str(path)


def _local(distributed: ModuleType, threads: int | None) -> Any:
    return distributed.LocalCluster(
        n_workers=threads,
        threads_per_worker=1,
        dashboard_address=_DASHBOARD,
        silence_logs=logging.CRITICAL,
        security=_security(distributed),
    )


@contextlib.contextmanager
def _slurm(distributed: ModuleType, jobqueue: ModuleType, workers: int) -> Iterator[Any]:
    """A cluster of Slurm jobs; the user's configuration of dask, under jobqueue.slurm, describes
    the job.

    The jobs read their certificates from a folder that nobody else may enter, below the configured
    ``shared-temp-directory`` or the working folder, where Slurm starts jobs.
    """
    configured = importlib.import_module("dask.config").get("jobqueue.slurm", {})
    above = os.path.expanduser(configured.get("shared-temp-directory") or os.getcwd())
    arguments = configured.get("worker-extra-args") or []
    with (
        tempfile.TemporaryDirectory(prefix=".rsmi-tls-", dir=above) as folder,
        jobqueue.SLURMCluster(
            security=_security(distributed, folder),
            protocol="tls://",
            scheduler_options={
                "dashboard_address": _DASHBOARD,
                **(configured.get("scheduler-options") or {}),
            },
            worker_extra_args=["--dashboard-address", _DASHBOARD, *arguments],
        ) as cluster,
    ):
        _check_accepted(cluster.job_script())
        cluster.scale(workers)
        yield cluster


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
