"""What a signed-in person is refused for who they are is on record: once, bounded, and no more."""

from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite import audit
from adminsite.db import WRITE, db, transaction
from adminsite.models import AuditEvent, AuditHead, User
from adminsite.operations import tokens
from tests.client import SiteClient
from tests.people import acting

ClientAs = Callable[[str | User], SiteClient]


def denied(session: Session) -> list[AuditEvent]:
    """The refusals on record, oldest first."""
    session.rollback()
    wanted = select(AuditEvent).where(AuditEvent.action == "access.denied")
    return list(session.scalars(wanted.order_by(AuditEvent.id)))


class TestDenials:
    def test_of_a_page_is_on_record(
        self, client_as: ClientAs, support: User, session: Session
    ) -> None:
        assert client_as("support").get("/admin/admins/").status_code == 403

        (event,) = denied(session)
        assert (event.actor_email, event.actor_level) == (support.email, "support")
        assert (event.subject_type, event.subject_id) == ("user", str(support.id))
        assert event.changes == {"request": [None, "GET /admin/admins/"]}
        assert audit.first_broken() is None

    def test_of_a_change_names_the_route_and_not_the_address(
        self, client_as: ClientAs, member: User, session: Session
    ) -> None:
        answer = client_as("support").delete(f"/admin/users/{member.id}?link_action=delete")

        assert answer.status_code == 403
        assert str(member.id) not in str(denied(session)[0].changes)

    def test_of_a_token_is_on_record(
        self, client: SiteClient, admin: User, session: Session
    ) -> None:
        with transaction():
            _row, secret = tokens.create(admin, {"name": "x", "scope": "read"}, by=acting(admin))

        answer = client.post(
            "/api/admin/credits/adjust", json={}, headers={"Authorization": f"Bearer {secret}"}
        )

        assert answer.status_code == 403
        assert denied(session)[0].changes == {"request": [None, "POST /api/admin/credits/adjust"]}

    def test_of_somebody_signed_out_is_not(self, client: SiteClient, session: Session) -> None:
        client.get("/admin/")
        client.get("/api/admin/stats")

        assert denied(session) == []

    def test_is_not_told_without_end(self, client_as: ClientAs, session: Session) -> None:
        tab = client_as("member")

        answers = {tab.get("/admin/links/").status_code for _ in range(25)}

        assert answers == {403}
        assert len(denied(session)) == 20

    def test_is_refused_all_the_same_while_another_writes(
        self, client_as: ClientAs, session: Session, caplog: pytest.LogCaptureFixture
    ) -> None:
        tab = client_as("member")

        with db.engine.connect().execution_options(**{WRITE: True}) as other:
            other.execute(select(AuditHead.id).with_for_update())
            answer = tab.get("/admin/links/")

        assert (answer.status_code, denied(session)) == (403, [])
        assert "could not be recorded" in caplog.text
