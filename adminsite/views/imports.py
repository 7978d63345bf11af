"""Import: a CSV file is checked, shown, and taken in when its sender says so."""

from pathlib import Path
from typing import Any

from flask import current_app, redirect, request, send_file
from flask.typing import ResponseReturnValue
from flask_admin import expose

from adminsite import auth
from adminsite.config import Settings
from adminsite.db import transaction
from adminsite.errors import InvalidError
from adminsite.exchange import importing, uploads
from adminsite.exchange.reading import UnreadableError
from adminsite.exchange.tables import KINDS
from adminsite.exchange.uploads import Kept
from adminsite.kit import responses
from adminsite.kit.access import PageView
from adminsite.permissions import Permission

URL = "/admin/import"
BREADCRUMB = [("Import", URL)]


class ImportView(PageView):
    """Links, keywords and users from a CSV file."""

    permission = Permission.DATA_IMPORT
    section = "Record"
    icon = "file-up"

    def __init__(self) -> None:
        super().__init__(name="Import", endpoint="imports", url=URL)

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The form that takes a file."""
        return self._form(request.args.get("kind", ""))

    @expose("/", methods=("POST",))
    def upload(self) -> ResponseReturnValue:
        """Check a file; nothing is written yet."""
        kind, file = request.form.get("kind", ""), request.files.get("file")
        if kind not in KINDS:
            raise InvalidError({"kind": f"A file holds one of {', '.join(KINDS)}."})
        if file is None or not file.filename:
            return self._form(kind, message="Choose a CSV file.", status=422)
        person, update = auth.current_person(), bool(request.form.get("update"))
        kept = uploads.keep(folder(), file.stream, kind, update=update, by=person)
        try:
            preview(kept)
        except UnreadableError as refusal:
            uploads.discard(kept)
            return self._form(kind, message=refusal.message, status=refusal.status)
        return shown(kept)

    @expose("/<token>")
    def result(self, token: str) -> ResponseReturnValue:
        """What a file would change, or has changed."""
        kept = own(token)
        report = uploads.recall(kept)
        name = "Imported" if report["applied"] else "Check of"
        return self.render(
            "imports/preview.html",
            **context(kept, report),
            message=None,
            page_title=f"{name} {kept.kind}",
            breadcrumb=[*BREADCRUMB, (kept.kind.title(), None)],
        )

    @expose("/<token>/apply", methods=("POST",))
    def apply(self, token: str) -> ResponseReturnValue:
        """Import the file; everything is checked again, since others went on working."""
        kept, person = own(token), auth.current_person()
        with uploads.ordered(kept, max_mb=limit_mb(), by=person) as order, transaction():
            report = importing.apply(order)
        uploads.remember(kept, report, applied=True)
        return shown(kept)

    @expose("/<token>/discard", methods=("POST",))
    def discard(self, token: str) -> ResponseReturnValue:
        """Forget the file."""
        uploads.discard(own(token))
        return responses.done(URL, "The file was discarded; nothing was changed.")

    @expose("/<token>/refused.csv")
    def refused(self, token: str) -> ResponseReturnValue:
        """The refused rows as they came, with the reason, to be mended and sent again."""
        kept = own(token)
        name = f"{kept.kind}-refused.csv"
        return send_file(kept.refused, "text/csv", as_attachment=True, download_name=name)

    def _form(
        self, kind: str, *, message: str | None = None, status: int = 200
    ) -> ResponseReturnValue:
        if message and responses.wants_json():
            return responses.refused(message, {"file": message}, status)
        page = self.render(
            "imports/index.html",
            kind=kind if kind in KINDS else "links",
            update=bool(request.form.get("update")),
            message=message,
            page_title="Import",
            breadcrumb=[("Import", None)],
        )
        return page, status


def preview(kept: Kept) -> None:
    """Check the file and remember the outcome."""
    with uploads.ordered(kept, max_mb=limit_mb(), by=auth.current_person()) as order:
        report = importing.preview(order)
    uploads.remember(kept, report, applied=False)


def shown(kept: Kept) -> ResponseReturnValue:
    """On to the page that shows the outcome; a script gets it at once."""
    if responses.wants_json():
        return responses.accepted(context(kept, uploads.recall(kept)))
    return redirect(f"{URL}/{kept.token}", 303)


def context(kept: Kept, report: dict[str, Any]) -> dict[str, Any]:
    """The outcome as the page shows it."""
    listed = {problem["line"] for problem in report["problems"]}
    counts = {name: report[name] for name in ("inserted", "updated", "unchanged", "refused")}
    return counts | {
        "kind": kept.kind,
        "errors": report["problems"],
        "more_errors": report["refused"] - len(listed),
        "token": kept.token,
        "applied": report["applied"],
    }


def own(token: str) -> Kept:
    """The upload of whoever asks."""
    return uploads.find(folder(), token, by=auth.current_person())


def folder() -> Path:
    """Where uploads lie."""
    return Path(current_app.instance_path) / "imports"


def limit_mb() -> int:
    """How large a file may be."""
    settings: Settings = current_app.config["SETTINGS"]
    return settings.import_max_mb
