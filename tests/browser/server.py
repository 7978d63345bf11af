"""The production server on a free port, and the system's Chromium."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.system import chromium

ROOT = Path(__file__).parent.parent.parent
START_S = 30
# The browser's own suggestions are two more pages for each of ours, and most of its time. The rest
# is what Playwright asks for, which one such flag of ours takes the place of.
NOT_WANTED = [
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "AimEnabled"),
    *("OptimizationHints", "NetworkTimeServiceQuerying", "PreconnectToSearch"),
]
FLAGS = [
    f"--disable-features={','.join(NOT_WANTED)}",
    "--no-sandbox",  # Chromium's own does not start for root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SERVE = ["-m", "gunicorn", "--worker-class", "gthread", "--threads", "4"]


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """What a program of the site is started with: these settings, none of the caller's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {f"ADMINSITE_{name}": value for name, value in settings.items()}


@contextmanager
def serving(settings: Mapping[str, str], log: Path, workers: int = 1) -> Iterator[str]:
    """Serve the site with these settings; give its address, and stop it at the end."""
    port = _free_port()
    where = ["--bind", f"127.0.0.1:{port}", "--workers", str(workers)]
    command = [sys.executable, *SERVE, *where, "app:create_app()"]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=ROOT, env=environment(settings), stdout=output, stderr=output
        ) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/healthz", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start the browser; stop it at the end."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url):  # noqa: S310 - our own address
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')}")
