"""`/api/admin/users`: R-002-21 to R-002-30, R-002-62, R-002-63."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.models import AuditEvent, Subscription, User, UserSession
from tests.api.scripts import ScriptAs
from tests.factories import CreditTransactionFactory, SubscriptionFactory, UserFactory
from tests.lists import statements

ITEM = {
    "id",
    "email",
    "role",
    "stripe_customer_id",
    "credits_balance",
    "subscription_status",
    "subscription_tier",
    "created_at",
    "updated_at",
}
NOBODY = str(UUID(int=7))
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NONSENSE = ["", "0", "-1", "x", "1.5", "1e3", "٣", "null", "%00", " 2", "+2"]


@pytest.fixture
def fifty(app: object) -> list[str]:
    """Addresses of people, the newest first; whoever asks is newer."""
    made = [
        UserFactory.create(
            email=f"p{number:02}@example.org", created_at=LONG_AGO + timedelta(number)
        )
        for number in range(50)
    ]
    return [user.email for user in reversed(made)]


def events(session: Session) -> list[tuple[str, Any]]:
    session.rollback()
    found = session.execute(
        select(AuditEvent.action, AuditEvent.changes)
        .where(AuditEvent.action.in_(["user.role_changed", "subscription.updated"]))
        .order_by(AuditEvent.id)
    )
    return [(row.action, row.changes) for row in found]


class TestList:
    def test_has_the_fields_of_the_requirement(self, api_as: ScriptAs, support: User) -> None:
        data = api_as("support").data("GET", "/users")

        assert data.keys() == {"users", "total", "page", "limit"}
        assert data["users"][0].keys() == ITEM
        assert (data["total"], data["page"], data["limit"]) == (1, 1, 20)

    def test_says_of_somebody_what_is_stored(self, api_as: ScriptAs) -> None:
        user = UserFactory.create(
            email="Ann@Example.com",
            credits_balance=-3,
            stripe_customer_id="cus_1",
            subscription_status="past_due",
            subscription_tier="pro",
        )

        [told] = api_as("support").data("GET", "/users?search=ann@")["users"]

        assert told == {
            "id": str(user.id),
            "email": "Ann@Example.com",
            "role": "user",
            "stripe_customer_id": "cus_1",
            "credits_balance": -3,
            "subscription_status": "past_due",
            "subscription_tier": "pro",
            "created_at": user.created_at.isoformat(),
            "updated_at": user.updated_at.isoformat(),
        }

    def test_gives_twenty_the_newest_first(self, api_as: ScriptAs, fifty: list[str]) -> None:
        data = api_as("support").data("GET", "/users")

        assert [user["email"] for user in data["users"][1:]] == fifty[:19]
        assert data["total"] == 51

    def test_pages_hold_everybody_once(self, api_as: ScriptAs, fifty: list[str]) -> None:
        script = api_as("support")

        pages = [script.data("GET", f"/users?page={page}&limit=7")["users"] for page in range(1, 9)]

        found = [user["email"] for page in pages for user in page]
        assert found[1:] == fifty
        assert len(pages[-1]) == 2

    def test_people_of_one_moment_are_in_one_order(self, api_as: ScriptAs) -> None:
        for _ in range(9):
            UserFactory.create(created_at=LONG_AGO)
        script = api_as("support")

        pages = [script.data("GET", f"/users?page={page}&limit=2")["users"] for page in range(1, 6)]

        assert len({user["id"] for page in pages for user in page}) == 10

    @pytest.mark.parametrize("page", ["4", "1000", "2147483647", "9" * 30])
    def test_page_past_the_end_is_empty(
        self, api_as: ScriptAs, fifty: list[str], page: str
    ) -> None:
        data = api_as("support").data("GET", f"/users?page={page}")

        assert data["users"] == []
        assert data["total"] == 51

    @pytest.mark.parametrize("limit", ["101", "1000", "9" * 30])
    def test_limit_over_100_is_100(self, api_as: ScriptAs, fifty: list[str], limit: str) -> None:
        data = api_as("support").data("GET", f"/users?limit={limit}")

        assert data["limit"] == 100
        assert len(data["users"]) == 51

    @pytest.mark.parametrize("nonsense", NONSENSE)
    def test_nonsense_is_the_default(self, api_as: ScriptAs, nonsense: str) -> None:
        data = api_as("support").data("GET", f"/users?page={nonsense}&limit={nonsense}")

        assert (data["page"], data["limit"]) == (1, 20)

    @pytest.mark.parametrize("term", ["ANN", "nn@ex", "Archer", "  ann  "])
    def test_is_searched_by_a_part_in_any_case(self, api_as: ScriptAs, term: str) -> None:
        UserFactory.create(email="Ann@Example.org", display_name="A. Archer")
        UserFactory.create(email="bob@example.org")

        data = api_as("support").data("GET", f"/users?search={term}")

        assert [user["email"] for user in data["users"]] == ["Ann@Example.org"]
        assert data["total"] == 1

    def test_is_searched_in_any_script(self, api_as: ScriptAs) -> None:
        UserFactory.create(email="жук@example.org")

        assert api_as("support").data("GET", "/users?search=ЖУК")["total"] == 1

    @pytest.mark.parametrize("term", ["%25", "_", "\\", "'", "' OR 1=1 --", '"', "%00", "%F0"])
    def test_takes_signs_as_they_are(self, api_as: ScriptAs, term: str) -> None:
        script = api_as("support")

        total = script.data("GET", f"/users?search=x{term}x")["total"]

        assert total == 0

    def test_finds_a_sign_that_is_there(self, api_as: ScriptAs) -> None:
        UserFactory.create(email="a_b%c@example.org")
        UserFactory.create(email="axbxc@example.org")

        assert api_as("support").data("GET", "/users?search=a_b%25c")["total"] == 1

    def test_search_of_any_length_is_taken(self, api_as: ScriptAs) -> None:
        assert api_as("support").data("GET", f"/users?search={'x' * 5000}")["total"] == 0

    def test_is_filtered(self, api_as: ScriptAs) -> None:
        UserFactory.create(email="a@example.org", subscription_status="active", role="admin")
        UserFactory.create(email="b@example.org", subscription_status="active")
        UserFactory.create(email="c@example.org")
        script = api_as("support")

        def found(query: str) -> list[str]:
            users = script.data("GET", f"/users?search=example.org&{query}")["users"]
            return sorted(user["email"][0] for user in users)

        assert found("subscription_status=active") == ["a", "b"]
        assert found("role=user") == ["b", "c"]
        assert found("role=user&subscription_status=active") == ["b"]
        assert found("role=&subscription_status=") == ["a", "b", "c"]

    @pytest.mark.parametrize("name", ["role", "subscription_status"])
    @pytest.mark.parametrize("word", ["owner", "x", "%00", "' OR 1=1", "x" * 5000])
    def test_is_not_filtered_by_unknown_words(self, api_as: ScriptAs, name: str, word: str) -> None:
        refusal = api_as("support").error("GET", f"/users?{name}={word}")

        assert refusal["code"] == "INVALID"
        assert refusal["details"].keys() == {name}

    def test_total_is_of_the_filter(self, api_as: ScriptAs, fifty: list[str]) -> None:
        data = api_as("support").data("GET", "/users?search=p1&limit=3")

        assert (data["total"], len(data["users"])) == (10, 3)

    def test_costs_as_many_statements_for_100_as_for_one(
        self, api_as: ScriptAs, fifty: list[str]
    ) -> None:
        script = api_as("support")
        script.data("GET", "/users")

        with statements() as few:
            script.data("GET", "/users?limit=1")
        with statements() as many:
            script.data("GET", "/users?limit=100")

        assert len(few) == len(many) <= 3


class TestDetails:
    def test_have_profile_subscription_and_entries(self, api_as: ScriptAs, member: User) -> None:
        data = api_as("support").data("GET", f"/users/{member.id}")

        assert data.keys() == {"profile", "subscription", "recentTransactions"}
        assert data["profile"].keys() == ITEM
        assert (data["subscription"], data["recentTransactions"]) == (None, [])

    def test_show_the_newest_subscription(self, api_as: ScriptAs, member: User) -> None:
        SubscriptionFactory.create(user=member, created_at=LONG_AGO)
        newest = SubscriptionFactory.create(user=member, status="past_due", tier=None)

        told = api_as("support").data("GET", f"/users/{member.id}")["subscription"]

        assert told == {
            "id": newest.id,
            "user_id": str(member.id),
            "status": "past_due",
            "tier": None,
            "price_id": None,
            "current_period_start": None,
            "current_period_end": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "created_at": newest.created_at.isoformat(),
            "updated_at": newest.updated_at.isoformat(),
        }

    def test_show_the_twenty_newest_entries(self, api_as: ScriptAs, member: User) -> None:
        made = [CreditTransactionFactory.create(user=member, amount=n) for n in range(1, 26)]
        CreditTransactionFactory.create(amount=99)

        told = api_as("support").data("GET", f"/users/{member.id}")["recentTransactions"]

        assert [entry["id"] for entry in told] == [entry.id for entry in reversed(made)][:20]
        assert told[0].keys() == {
            "id",
            "user_id",
            "amount",
            "balance_after",
            "type",
            "reference_id",
            "description",
            "created_at",
        }

    @pytest.mark.parametrize(
        "key", [NOBODY, "x", "1", "%00", "null", "9" * 5000, "..%2f", "{0}", "urn:uuid:{0}"]
    )
    def test_of_nobody_are_not_found(self, api_as: ScriptAs, member: User, key: str) -> None:
        path = f"/users/{key.format(member.id.hex)}"

        refusal = api_as("support").error("GET", path, status=404)

        assert refusal == {"error": "User not found", "code": "NOT_FOUND", "details": {}}

    def test_are_found_by_the_id_in_capitals(self, api_as: ScriptAs, member: User) -> None:
        assert api_as("support").data("GET", f"/users/{str(member.id).upper()}")


class TestChange:
    @pytest.fixture
    def patch(self, api_as: ScriptAs, member: User) -> Callable[..., Any]:
        """Change the member as somebody."""
        return lambda body, who="owner": api_as(who).data("PATCH", f"/users/{member.id}", body)

    @pytest.fixture
    def refused(self, api_as: ScriptAs, member: User) -> Callable[..., Any]:
        """Fail to."""
        return lambda body, who="owner", status=400: api_as(who).error(
            "PATCH", f"/users/{member.id}", body, status
        )

    def test_answers_the_profile(self, patch: Any, member: User) -> None:
        told = patch({"role": "admin"})

        assert told.keys() == ITEM
        assert (told["id"], told["role"]) == (str(member.id), "admin")

    def test_is_stored_with_the_time(self, patch: Any, member: User, session: Session) -> None:
        before = member.updated_at

        told = patch({"subscription_tier": "pro"})

        session.refresh(member)
        assert member.subscription_tier == "pro"
        assert member.updated_at > before
        assert told["updated_at"] == member.updated_at.isoformat()

    def test_sets_all_that_is_sent(self, patch: Any) -> None:
        body = {"role": "admin", "subscription_tier": "pro", "subscription_status": "active"}

        assert body.items() <= patch(body).items()

    def test_is_told_by_the_audit(self, patch: Any, session: Session) -> None:
        patch({"role": "admin", "subscription_tier": "pro", "subscription_status": "trialing"})

        [(role, told), (plan, changes)] = events(session)
        assert (role, told["role"]) == ("user.role_changed", ["user", "admin"])
        assert plan == "subscription.updated"
        assert changes == {
            "subscription_tier": [None, "pro"],
            "subscription_status": [None, "trialing"],
        }

    def test_lets_the_newest_subscription_follow(
        self, patch: Any, member: User, session: Session
    ) -> None:
        older = SubscriptionFactory.create(user=member, created_at=LONG_AGO, tier="hobby")
        newest = SubscriptionFactory.create(user=member, status="active", tier="hobby")

        patch({"subscription_tier": "business", "subscription_status": "past_due"})

        session.refresh(newest)
        session.refresh(older)
        assert (newest.tier, newest.status) == ("business", "past_due")
        assert (older.tier, older.status) == ("hobby", "active")

    @pytest.mark.parametrize("name", ["subscription_tier", "subscription_status"])
    def test_null_clears(self, patch: Any, name: str) -> None:
        patch({"subscription_tier": "pro", "subscription_status": "active"})

        assert patch({name: None})[name] is None

    def test_null_status_ends_the_subscription(
        self, patch: Any, member: User, session: Session
    ) -> None:
        newest = SubscriptionFactory.create(user=member)

        patch({"subscription_status": None})

        assert session.get_one(Subscription, newest.id).status == "canceled"

    def test_of_nothing_new_changes_nothing(
        self, patch: Any, member: User, session: Session
    ) -> None:
        before = member.version

        patch({"role": "user", "subscription_tier": None})

        session.refresh(member)
        assert member.version == before
        assert events(session) == []

    def test_of_the_role_ends_their_sessions(
        self, patch: Any, client_as: Any, session: Session
    ) -> None:
        client_as("member")

        patch({"role": "admin"})

        assert session.scalars(select(UserSession)).all() == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"email": "new@example.com"},
            {"credits_balance": 5},
            {"id": str(UUID(int=1)), "Role": "admin"},
        ],
    )
    def test_of_none_of_the_fields_is_refused(self, refused: Any, body: dict[str, Any]) -> None:
        refusal = refused(body)

        assert refusal["error"] == "No valid fields to update"
        assert refusal["code"] == "INVALID"

    def test_of_other_fields_beside_is_refused(self, refused: Any, session: Session) -> None:
        refusal = refused({"role": "admin", "credits_balance": 5})

        assert refusal["details"].keys() == {"credits_balance"}
        assert events(session) == []

    @pytest.mark.parametrize("name", ["role", "subscription_tier", "subscription_status"])
    @pytest.mark.parametrize(
        "value",
        ["owner", "", " ", "x", 0, 1, True, [], ["pro"], {}, 1.5, "\x00", "\ud800", "x" * 9999],
    )
    def test_to_what_is_no_value_is_refused(
        self, refused: Any, session: Session, name: str, value: object
    ) -> None:
        refusal = refused({name: value})

        assert refusal["details"].keys() == {name}
        assert events(session) == []

    def test_of_the_role_to_null_is_refused(self, refused: Any) -> None:
        assert refused({"role": None})["details"].keys() == {"role"}

    def test_is_all_or_nothing(self, refused: Any, member: User, session: Session) -> None:
        SubscriptionFactory.create(user=member, status="canceled")

        refused({"role": "admin", "subscription_status": "trialing"})

        session.refresh(member)
        assert (member.role, member.subscription_status) == ("user", None)
        assert events(session) == []

    def test_says_which_moves_there_are(self, refused: Any, member: User) -> None:
        SubscriptionFactory.create(user=member, status="canceled")

        assert refused({"subscription_status": "trialing"})["error"] == (
            "From canceled a subscription goes to active; not to trialing."
        )

    def test_of_the_role_is_for_owners(self, refused: Any, session: Session) -> None:
        for body in ({"role": "admin"}, {"role": "admin", "subscription_tier": "pro"}):
            refusal = refused(body, "admin", 403)

            assert refusal["code"] == "NOT_OWNER"
            assert refusal["error"] == "This needs an owner; you are signed in as admin."
        assert events(session) == []

    def test_of_the_plan_is_for_admins(self, patch: Any) -> None:
        assert patch({"subscription_tier": "pro"}, "admin")["subscription_tier"] == "pro"

    def test_of_ones_own_role_is_refused(
        self, api_as: ScriptAs, owner: User, session: Session
    ) -> None:
        refusal = api_as("owner").error("PATCH", f"/users/{owner.id}", {"role": "user"})

        assert refusal["error"] == "Nobody changes their own role. Ask another owner."
        assert events(session) == []

    def test_of_the_role_of_staff_is_refused(self, api_as: ScriptAs, admin: User) -> None:
        refusal = api_as("owner").error("PATCH", f"/users/{admin.id}", {"role": "user"})

        assert "has a staff record" in refusal["error"]

    @pytest.mark.parametrize("key", [NOBODY, "x", "%00"])
    def test_of_nobody_is_not_found(self, api_as: ScriptAs, key: str) -> None:
        refusal = api_as("owner").error("PATCH", f"/users/{key}", {"role": "admin"}, 404)

        assert refusal == {"error": "User not found", "code": "NOT_FOUND", "details": {}}
