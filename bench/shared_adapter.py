"""The back office as one more peer of the shared harness; see README.md.

The harness loads this file by its path and puts its own folder on the module path, so nothing
of this project is imported here.
"""

import importlib
import re
import sys
from collections.abc import Iterable
from html import unescape
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import quote, urlencode

ROOT = Path(__file__).resolve().parent.parent
PYTHON = str(ROOT / ".venv/bin/python") if (ROOT / ".venv/bin/python").exists() else sys.executable
EMAIL = "bench.owner@example.com"
PASSWORD = "a-long-phrase-for-the-benchmark"
CSRF_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')

form_with = importlib.import_module("client").form_with


class Session(Protocol):
    """What is used of the harness's session."""

    headers: dict[str, str]

    def get(self, path: str, **options: Any) -> Any: ...
    def post(self, path: str, data: object = (), **options: Any) -> Any: ...
    def request(self, method: str, path: str, **options: Any) -> Any: ...


class Adminsite:
    """One gunicorn worker with everything on, used by a signed-in owner."""

    name = "adminsite"
    cwd = str(ROOT)
    env: ClassVar = {"PYTHONPATH": str(ROOT)}
    prepare = ("env", f"PYTHONPATH={ROOT}", PYTHON, "-m", "bench.shared_convert")

    def command(self, port: int) -> list[str]:
        options = ["-w", "1", "-k", "sync", "--timeout", "120", "--log-level", "error"]
        address = ["-b", f"127.0.0.1:{port}"]
        return [PYTHON, "-m", "gunicorn", *options, *address, "bench.shared_site:create_site()"]

    def login(self, s: Session) -> None:
        page = s.get("/login", quiet=True).text
        fields = dict(form_with(page, "password")) | {"email": EMAIL, "password": PASSWORD}
        s.post("/login", fields, quiet=True)
        token = CSRF_TOKEN.search(s.get(self.links_url(), quiet=True).text)
        if token is None:
            raise RuntimeError("signed in, but the links page has no CSRF token")
        s.headers["X-CSRFToken"] = unescape(token[1])

    def links_url(self, page: int = 0, search: str | None = None, *, inline: bool = False) -> str:
        del page, inline  # pages go by cursor; cells are editable in every list
        return "/admin/links" + (f"?search={quote(search)}" if search else "")

    def edit_url(self, pk: int) -> str:
        return f"/admin/links/edit/?id={pk}"

    def list_page(self, s: Session, page: int = 0, cursor: tuple[Any, Any] | None = None) -> Any:
        if cursor is None:
            return s.get(self.links_url())
        asked = urlencode({"at": cursor[0], "id": cursor[1], "position": page * 50})
        query = s.get(f"/__bench__/page-after?{asked}", quiet=True).text.strip('"')
        return s.get(f"/admin/links?{query}")

    def search(self, s: Session, term: str) -> Any:
        return s.get(self.links_url(search=term))

    def users(self, s: Session) -> Any:
        return s.get("/admin/users?sort=email", ok=(200, 404))

    def edit_form(self, s: Session, pk: int) -> Any:
        return s.get(self.edit_url(pk))

    def save_title(self, s: Session, pk: int, value: str) -> Any:
        fields = form_with(s.get(self.edit_url(pk), quiet=True).text, "title")
        changed = [(name, value if name == "title" else old) for name, old in fields]
        return s.post(self.edit_url(pk), changed, ok=(303,))

    def inline(self, s: Session, pk: int, value: str) -> Any:
        fields = {"list_form_pk": pk, "title": value}
        return s.post("/admin/links/ajax/update/", fields, headers={"HX-Request": "true"})

    def export_csv(self, s: Session) -> Any:
        return s.get("/admin/links/export/csv/", sink=True, ok=(200,))

    def bulk_delete(self, s: Session, pks: Iterable[int]) -> Any:
        fields = [("action", "delete"), *(("rowid", pk) for pk in pks)]
        return s.post("/admin/links/action/", fields, ok=(303,))

    def delete_user(self, s: Session, pk: str) -> Any:
        path = f"/admin/users/{pk}?link_action=reassign"
        return s.request("DELETE", path, headers={"HX-Request": "true"})
