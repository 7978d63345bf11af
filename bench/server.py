"""One worker of one application on the loopback, stopped when the block ends."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client import Browser
from bench.counting import STATEMENTS_PATH
from bench.database import ROOT

START_S = 40
STOP_S = 5


@dataclass(frozen=True)
class Server:
    """A running application and a browser pointed at it."""

    browser: Browser

    def take_statements(self) -> int:
        """How many SQL statements it has sent since the last time this was asked."""
        return int(self.ask(STATEMENTS_PATH))

    def ask(self, path: str) -> str:
        """What one of the benchmark's own addresses answers."""
        return str(json.loads(Browser(self.browser.port).get(path).text))


@contextmanager
def serving(factory: str, settings: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Start gunicorn with one synchronous worker.

    Args:
        factory: `module:function()` that makes the WSGI application.
        settings: its environment.
        folder: where its log goes.

    Raises:
        RuntimeError: it did not start; the end of its log is in the message.
    """
    port = _free_port()
    log = folder / f"{factory.partition(':')[0]}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(factory, port),
            cwd=ROOT,
            env=dict(settings),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            server = Server(Browser(port))
            _wait(server, process, log)
            yield server
        finally:
            _stop(process)


def _command(factory: str, port: int) -> list[str]:
    options = ["-w", "1", "-k", "sync", "-b", f"127.0.0.1:{port}", "--log-level", "warning"]
    command = [sys.executable, "-m", "gunicorn", *options, factory]
    if found := shutil.which("setpriv"):  # a killed benchmark takes its servers along
        command = [found, "--pdeathsig", "TERM", *command]
    return command


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionError):
            server.take_statements()
            return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sent)  # the session that was started above
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
            return
