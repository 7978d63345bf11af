"""A private PostgreSQL server that is gone when the block ends.

`python -m tests.postgres` runs one until it is interrupted and prints its address.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from tests.system import MissingProgramError, postgres_binaries

SUPERUSER = "postgres"
START_S = 30

# Nothing here outlives the server, so nothing needs to reach the disk.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_min_messages": "warning",
}


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server, give its superuser's URL, stop it and remove its data.

    Raises:
        MissingProgramError: PostgreSQL is not installed.
        RuntimeError: the server did not start; its log is in the message.
    """
    binaries = postgres_binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        runner = _unprivileged()
        if runner:
            os.chown(folder, runner["user"], runner["group"])
        _create_cluster(binaries, folder, runner)
        with _server(binaries, folder, runner):
            yield f"postgresql+psycopg://{SUPERUSER}@/postgres?host={quote(str(folder))}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> dict[str, Any]:
    """Whom to run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise MissingProgramError("PostgreSQL does not run as root, and there is no other user.")


def _create_cluster(binaries: Path, folder: Path, runner: dict[str, Any]) -> None:
    made = subprocess.run(
        [
            *(str(binaries / "initdb"), "--pgdata", str(folder / "data")),
            *("--username", SUPERUSER, "--auth", "trust", "--no-sync", "--no-instructions"),
            *("--encoding", "UTF8", "--locale", "C.UTF-8"),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **runner,
    )
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr}")


@contextmanager
def _server(binaries: Path, folder: Path, runner: dict[str, Any]) -> Iterator[None]:
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *options]
    if found := shutil.which("setpriv"):  # a killed test run takes its server along
        command = [found, "--pdeathsig", "QUIT", *command]
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, **runner) as process,
    ):
        try:
            _wait(process, folder, log)
            yield
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: the data is thrown away


def _wait(process: subprocess.Popen[bytes], folder: Path, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(host=str(folder), user=SUPERUSER, dbname="postgres").close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}")


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # also when a shell started it in the background
    with running_postgres() as address:
        print(address, flush=True)
        signal.pause()
