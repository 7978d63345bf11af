"""Listens to a browser tab and keeps everything that should not have happened."""

import time
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Dialog, Page, Request, Response

SETTLE_S = 3
OF_A_STATUS = ("Failed to load resource", "Response Status Error Code")
# What htmx writes when a newer request, or an answer that replaces its asker, ends an older one;
# a request that fails or is refused is told by lines of its own.
OF_AN_END = ("htmx:afterRequest", "htmx:sendAbort")
REPORT_CSP = """
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI || event.sample}`);
});
"""


class Watch:
    """The complaints of tabs: scripts, console, content security policy, requests, dialogs."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.allowed: set[int] = set()
        self.open: set[Request] = set()
        self.sent: list[Request] = []
        self.asked_before_leaving = 0

    def allow(self, *statuses: int) -> None:
        """Expect answers of these statuses (400 and above)."""
        self.allowed.update(statuses)

    def requests(self, method: str, path: str = "/admin") -> list[str]:
        """The addresses asked for with this method under this path, in order."""
        return [
            request.url
            for request in self.sent
            if request.method == method and urlsplit(request.url).path.startswith(path)
        ]

    def follow(self, page: Page) -> None:
        """Start to listen, before the tab opens anything."""
        page.add_init_script(REPORT_CSP)
        page.on("console", self._on_console)
        page.on("dialog", self._on_dialog)
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
        if message.type == "error" and not message.text.startswith((*OF_A_STATUS, *OF_AN_END)):
            self.problems.append(f"console: {message.text}")

    def _on_dialog(self, dialog: Dialog) -> None:
        # Leaving unsaved work is the one thing that only the browser itself can ask about.
        if dialog.type == "beforeunload":
            self.asked_before_leaving += 1
            dialog.accept()
            return
        self.problems.append(f"the browser's own {dialog.type}(): {dialog.message}")
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        self.open.add(request)
        self.sent.append(request)

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
