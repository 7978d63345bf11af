"""Listens to a browser tab and keeps everything that should not have happened."""

import time

from playwright.sync_api import ConsoleMessage, Page, Request, Response

SETTLE_S = 3
REPORT_CSP = """
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI || event.sample}`);
});
"""


class Watch:
    """The complaints of one tab: scripts, console, content security policy, requests."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.allowed: set[int] = set()
        self.open: set[Request] = set()

    def allow(self, *statuses: int) -> None:
        """Expect answers of these statuses (400 and above)."""
        self.allowed.update(statuses)

    def follow(self, page: Page) -> None:
        """Start to listen, before the tab opens anything."""
        page.add_init_script(REPORT_CSP)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("request", self._on_request)
        page.on("requestfinished", self._on_finished)
        page.on("requestfailed", self._on_failed)
        page.on("response", self._on_response)

    def finish(self, page: Page) -> list[str]:
        """Let open requests end, and give the complaints."""
        deadline = time.monotonic() + SETTLE_S
        while self.open and time.monotonic() < deadline and not page.is_closed():
            page.wait_for_timeout(20)
        self.problems += [f"never answered: {request.url}" for request in self.open]
        return self.problems

    def _on_console(self, message: ConsoleMessage) -> None:
        # A status of 400 or above is judged as an answer, below.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"console: {message.text}")

    def _on_request(self, request: Request) -> None:
        self.open.add(request)

    def _on_finished(self, request: Request) -> None:
        self.open.discard(request)

    def _on_failed(self, request: Request) -> None:
        self.open.discard(request)
        # A newer request, a download or leaving the page ends one; nothing went wrong.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.url}: {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.allowed:
            self.problems.append(f"{response.status}: {response.url}")
