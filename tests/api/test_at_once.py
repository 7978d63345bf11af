"""Many scripts at the same moment, against the production server with several processes."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from adminsite.models import AuditEvent, CreditTransaction, IdempotencyKey, PendingAdjustment, User
from tests.api.scripts import make_token
from tests.client import forget

MANY = 50


class Caller:
    """Posts adjustments over HTTP."""

    def __init__(self, url: str, token: str) -> None:
        self.url = f"{url}/api/admin/credits/adjust"
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def post(self, body: dict[str, Any], key: str) -> tuple[int, Any]:
        """The status and what is said."""
        headers = self.headers | {"Idempotency-Key": key}
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url, data, headers)  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def post_all(self, sent: list[tuple[dict[str, Any], str]]) -> list[tuple[int, Any]]:
        """All at once."""
        with ThreadPoolExecutor(len(sent)) as pool:
            return list(pool.map(lambda one: self.post(*one), sent))


def adjustment(user: User, amount: int = 10) -> dict[str, Any]:
    return {"userId": str(user.id), "amount": amount, "reason": "Goodwill"}


def count(session: Session, table: Any) -> int:
    forget()
    return session.scalar(select(func.count()).select_from(table)) or 0


class TestOneKey:
    def test_makes_one_entry_and_all_get_its_result(
        self, served_api: str, owner: User, member: User, session: Session
    ) -> None:
        caller = Caller(served_api, make_token(owner))

        answers = caller.post_all([(adjustment(member), "k")] * MANY)

        assert {status for status, _ in answers} == {200}
        assert len({json.dumps(said, sort_keys=True) for _, said in answers}) == 1
        assert count(session, CreditTransaction) == count(session, IdempotencyKey) == 1
        session.refresh(member)
        assert member.credits_balance == 10

    def test_makes_one_event(
        self, served_api: str, owner: User, member: User, session: Session
    ) -> None:
        Caller(served_api, make_token(owner)).post_all([(adjustment(member), "k")] * MANY)

        forget()
        adjusted = select(func.count()).where(AuditEvent.action == "credits.adjusted")
        assert session.scalar(adjusted) == 1

    def test_makes_one_request_beyond_the_limit(
        self, served_api: str, owner: User, member: User, session: Session
    ) -> None:
        caller = Caller(served_api, make_token(owner))

        answers = caller.post_all([(adjustment(member, 2_000_000), "k")] * MANY)

        assert {status for status, _ in answers} == {202}
        assert len({json.dumps(said, sort_keys=True) for _, said in answers}) == 1
        assert count(session, PendingAdjustment) == 1

    def test_is_of_the_first_of_two_bodies(
        self, served_api: str, owner: User, member: User, session: Session
    ) -> None:
        caller = Caller(served_api, make_token(owner))
        bodies = [adjustment(member, amount) for amount in (1, 2)]

        answers = caller.post_all([(body, "k") for body in bodies * 15])

        assert sorted(status for status, _ in answers) == [200] * 15 + [409] * 15
        assert count(session, CreditTransaction) == 1

    def test_of_two_people_is_of_the_first(
        self, served_api: str, owner: User, member: User, session: Session
    ) -> None:
        caller = Caller(served_api, make_token(owner))
        bodies = [adjustment(user) for user in (member, owner)]

        answers = caller.post_all([(body, "k") for body in bodies * 15])

        assert sorted(status for status, _ in answers) == [200] * 15 + [409] * 15
        assert count(session, CreditTransaction) == 1


class TestManyKeys:
    def test_make_an_entry_each_and_lose_none(
        self, served_api: str, owner: User, member: User, session: Session
    ) -> None:
        caller = Caller(served_api, make_token(owner))

        answers = caller.post_all([(adjustment(member), f"k{n}") for n in range(MANY)])

        assert {status for status, _ in answers} == {200}
        balances = sorted(said["data"]["newBalance"] for _, said in answers)
        assert balances == list(range(10, 10 * MANY + 1, 10))
        assert count(session, CreditTransaction) == MANY

    def test_of_two_callers_are_their_own(
        self, served_api: str, owner: User, admin: User, member: User, session: Session
    ) -> None:
        callers = [Caller(served_api, make_token(user)) for user in (owner, admin)]

        for caller in callers:
            caller.post_all([(adjustment(member), "k")] * 10)

        assert count(session, CreditTransaction) == 2
