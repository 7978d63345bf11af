"""The Import page: check, import, discard, and whose upload it is."""

import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from adminsite.exchange import reading, uploads
from adminsite.models import AuditEvent, Keyword
from adminsite.views import imports
from tests.client import SiteClient

Sign = Callable[[str], SiteClient]
HEADER = "keyword,url_template,description\n"
GOOD = "gh,https://code.example.com/?q={slug},Code\n"
BAD = "GH,/search?q={slug},\n"


@pytest.fixture(autouse=True)
def folder(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the test's own uploads lie."""
    monkeypatch.setattr(app, "instance_path", str(tmp_path))
    return imports.folder()


def send(client: SiteClient, text: str | bytes, **values: str) -> str:
    """Upload a file and give the address of the outcome."""
    answer = post(client, text, **values)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def post(client: SiteClient, text: str | bytes, **values: str) -> TestResponse:
    data = text.encode() if isinstance(text, str) else text
    form = {"kind": "keywords", "file": (io.BytesIO(data), "words.csv"), **values}
    return client.post("/admin/import", data=form)


def stored(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Keyword)) or 0


class TestUpload:
    def test_shows_counts_and_reasons_and_writes_nothing(
        self, client_as: Sign, session: Session
    ) -> None:
        client = client_as("admin")

        page = client.get(send(client, HEADER + GOOD + BAD)).text

        assert "lower-case letters a to z" in page
        assert "Import 1 row" in page
        assert stored(session) == 0

    def test_is_refused_whole_when_the_file_cannot_be_read(
        self, client_as: Sign, folder: Path
    ) -> None:
        answer = post(client_as("admin"), b"keyword,url_template,description\n\xe9,,\n")

        assert answer.status_code == 422
        assert "not UTF-8" in answer.text
        assert list(folder.iterdir()) == []

    def test_begins_with_a_form(self, client_as: Sign) -> None:
        page = client_as("admin").get("/admin/import?kind=keywords").text

        assert '<option value="keywords" selected>' in page

    def test_refuses_in_json_too(self, client_as: Sign) -> None:
        file = (io.BytesIO(b""), "words.csv")

        answer = client_as("admin").post(
            "/admin/import",
            data={"kind": "keywords", "file": file},
            headers={"Accept": "application/json"},
        )

        assert answer.status_code == 422
        assert answer.json is not None
        assert "empty" in answer.json["error"]["message"]

    def test_is_refused_without_a_file(self, client_as: Sign) -> None:
        answer = client_as("admin").post("/admin/import", data={"kind": "links"})

        assert answer.status_code == 422
        assert "Choose a CSV file." in answer.text

    def test_is_refused_for_an_unknown_kind(self, client_as: Sign) -> None:
        assert post(client_as("admin"), HEADER, kind="admins").status_code == 422

    def test_is_refused_when_too_large(
        self, client_as: Sign, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reading, "MEGABYTE", 1)

        answer = post(client_as("admin"), HEADER + GOOD)

        assert answer.status_code == 413
        assert "larger than 64 MB" in answer.text

    def test_answers_json_to_a_script(self, client_as: Sign) -> None:
        client = client_as("admin")
        file = (io.BytesIO((HEADER + GOOD).encode()), "words.csv")

        answer = client.post(
            "/admin/import",
            data={"kind": "keywords", "file": file},
            headers={"Accept": "application/json"},
        )

        assert answer.json is not None
        assert answer.json["data"]["inserted"] == 1

    def test_needs_an_admin(self, client_as: Sign) -> None:
        client = client_as("support")

        assert client.get("/admin/import").status_code == 403
        assert post(client, HEADER + GOOD).status_code == 403


class TestApply:
    def test_imports_in_the_name_of_the_sender(self, client_as: Sign, session: Session) -> None:
        client = client_as("admin")
        url = send(client, HEADER + GOOD)

        answer = client.post(f"{url}/apply")

        assert answer.location == url
        assert "Imported keywords" in client.get(url).text
        event = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert event is not None
        assert (event.action, event.actor_email) == ("data.imported", "admin@example.com")

    def test_deletes_the_file_and_does_not_run_twice(
        self, client_as: Sign, session: Session, folder: Path
    ) -> None:
        client = client_as("admin")
        url = send(client, HEADER + GOOD)

        first, second = client.post(f"{url}/apply"), client.post(f"{url}/apply")

        assert (first.status_code, second.status_code) == (303, 404)
        assert list(folder.glob("*/file.csv")) == []
        assert stored(session) == 1

    def test_checks_again(self, client_as: Sign) -> None:
        client = client_as("admin")
        url, other = send(client, HEADER + GOOD), send(client, HEADER + GOOD.replace("Code", "C"))
        client.post(f"{other}/apply")

        client.post(f"{url}/apply")

        assert "exists and differs in description" in client.get(url).text

    def test_is_refused_for_somebody_elses_upload(self, client_as: Sign, session: Session) -> None:
        url = send(client_as("admin"), HEADER + GOOD)

        other = client_as("owner")

        assert other.get(url).status_code == 404
        assert other.post(f"{url}/apply").status_code == 404
        assert stored(session) == 0


class TestAfterwards:
    def test_refused_rows_can_be_mended_and_sent_again(
        self, client_as: Sign, session: Session
    ) -> None:
        client = client_as("admin")
        url = send(client, HEADER + BAD)

        rows = client.get(f"{url}/refused.csv").text
        again = send(client, rows.replace("GH", "gh").replace("/search", "https://example.com/s"))
        client.post(f"{again}/apply")

        assert '"why"' in rows
        assert stored(session) == 1

    def test_discarding_deletes_the_upload(self, client_as: Sign, folder: Path) -> None:
        client = client_as("admin")
        url = send(client, HEADER + GOOD)

        answer = client.post(f"{url}/discard")

        assert answer.location == "/admin/import"
        assert list(folder.iterdir()) == []

    def test_an_upload_is_gone_after_an_hour(self, client_as: Sign, folder: Path) -> None:
        client = client_as("admin")
        url = send(client, HEADER + GOOD)
        old = time.time() - uploads.LIFETIME_S - 1
        for kept in folder.iterdir():
            os.utime(kept, (old, old))

        assert client.get(url).status_code == 404
        assert list(folder.iterdir()) == []

    def test_an_upload_is_private(self, client_as: Sign, folder: Path) -> None:
        send(client_as("admin"), HEADER + GOOD)

        assert folder.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("token", ["x", "..", "a" * 32])
    def test_an_unknown_token_is_not_found(self, client_as: Sign, token: str) -> None:
        assert client_as("admin").get(f"/admin/import/{token}").status_code == 404
