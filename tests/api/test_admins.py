"""`/admin/api/admins`: S0's list of what has to hold, line by line."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from adminsite.models import Admin, AuditEvent, PasswordReset, User
from adminsite.operations import admins
from adminsite.operations.admins import LastOwnerError
from adminsite.operations.credentials import find_reset
from tests.api.scripts import ANN, ROUTES, Route, ScriptAs, refusal, staff
from tests.client import SiteClient
from tests.lists import statements

ClientAs = Callable[[str | User], SiteClient]

SHOWN = {
    "id",
    "user_id",
    "email",
    "full_name",
    "role",
    "status",
    "last_login_at",
    "created_at",
    "updated_at",
}


def record_of(session: Session, user: User) -> Admin:
    session.rollback()
    return session.scalars(select(Admin).where(Admin.user_id == user.id)).one()


def path_of(session: Session, user: User) -> str:
    return f"/admins/{record_of(session, user).id}"


def actions(session: Session) -> list[str]:
    session.rollback()
    told = select(AuditEvent.action).where(AuditEvent.action != "token.created")
    return list(session.scalars(told.order_by(AuditEvent.id)))


class Other:
    """A second owner, with a script and a browser at work."""

    def __init__(self, script_as: ScriptAs, client_as: ClientAs) -> None:
        record = staff("owner", "Other")
        self.path = f"/admins/{record.id}"
        self.script, self.browser = script_as(record.user), client_as(record.user)
        assert self.answers() == {200}

    def answers(self) -> set[int]:
        """The statuses that the two get now."""
        browser = self.browser.get("/admin/api/admins")
        return {self.script.ask("GET", "/admins").status_code, browser.status_code}


@pytest.fixture
def other(script_as: ScriptAs, client_as: ClientAs) -> Other:
    """A second owner at work."""
    return Other(script_as, client_as)


class TestList:
    def test_shows_every_field_of_the_staff(
        self, script_as: ScriptAs, owner: User, session: Session
    ) -> None:
        record = record_of(session, owner)

        data = script_as("owner").data("GET", "/admins")

        [shown] = data.pop("admins")
        assert data == {"total": 1, "limit": 50, "offset": 0}
        assert shown == {
            "id": record.id,
            "user_id": str(owner.id),
            "email": "owner@example.com",
            "full_name": "Owner Person",
            "role": "owner",
            "status": "active",
            "last_login_at": None,
            "created_at": record.created_at.isoformat(),
            "updated_at": record.updated_at.isoformat(),
        }

    def test_leaves_members_out(self, script_as: ScriptAs, member: User) -> None:
        assert script_as("owner").data("GET", "/admins")["total"] == 1

    def test_begins_with_the_newest(self, script_as: ScriptAs) -> None:
        script, now = script_as("owner"), datetime.now(UTC)
        older = staff(created_at=now - timedelta(days=2))
        oldest = staff(created_at=now - timedelta(days=3))
        newest = staff(created_at=now + timedelta(days=1))

        ids = [shown["id"] for shown in script.data("GET", "/admins")["admins"]]

        assert (ids[0], *ids[2:]) == (newest.id, older.id, oldest.id)

    def test_gives_one_page_after_the_other(self, script_as: ScriptAs) -> None:
        script = script_as("owner")
        for _ in range(4):
            staff()

        pages = [script.data("GET", f"/admins?limit=2&offset={offset}") for offset in (0, 2, 4, 6)]

        seen = [shown["id"] for page in pages for shown in page["admins"]]
        assert [len(page["admins"]) for page in pages] == [2, 2, 1, 0]
        assert len(set(seen)) == 5
        assert {page["total"] for page in pages} == {5}

    @pytest.mark.parametrize(
        ("given", "taken"),
        [
            ("1", 1),
            ("200", 200),
            ("201", 200),
            ("9" * 30, 200),
            ("9" * 5000, 200),
            ("0", 50),
            ("-1", 50),
            ("1.5", 50),
            ("1e2", 50),
            ("x", 50),
            ("", 50),
            ("%00", 50),
            ("٣", 50),
        ],
    )
    def test_takes_any_limit(self, script_as: ScriptAs, given: str, taken: int) -> None:
        assert script_as("owner").data("GET", f"/admins?limit={given}")["limit"] == taken

    @pytest.mark.parametrize(
        ("given", "taken"),
        [("1", 1), ("-1", 0), ("x", 0), ("", 0), ("9" * 30, 2**31 - 1), ("9" * 5000, 2**31 - 1)],
    )
    def test_takes_any_offset(self, script_as: ScriptAs, given: str, taken: int) -> None:
        data = script_as("owner").data("GET", f"/admins?offset={given}")

        assert data["offset"] == taken
        assert len(data["admins"]) == (0 if taken else 1)

    @pytest.mark.parametrize(
        ("term", "found"),
        [
            ("ÉMILE", ["Émile Жуков"]),
            ("жук", ["Émile Жуков"]),
            ("ΟΔΌΣ", ["Νέα οδός"]),
            ("%", ["100% Ann"]),
            ("_", []),
            ("owner@EXAMPLE", ["Owner Person"]),
            (" ann ", ["100% Ann"]),
            ("\x00ann", ["100% Ann"]),
            ("\\", []),
            ("'", []),
            ("nobody", []),
        ],
    )
    def test_searches_addresses_and_names_in_any_script(
        self, script_as: ScriptAs, term: str, found: list[str]
    ) -> None:
        script = script_as("owner")
        for name in ("Émile Жуков", "Νέα οδός", "100% Ann"):
            staff(name=name)

        answer = script.ask("GET", "/admins", query_string={"search": term})

        data = cast("Any", answer.json)["data"]
        assert [shown["full_name"] for shown in data["admins"]] == found
        assert data["total"] == len(found)

    def test_takes_a_search_of_any_length(self, script_as: ScriptAs) -> None:
        answer = script_as("owner").ask("GET", "/admins", query_string={"search": "x" * 1_000_000})

        assert answer.status_code == 200

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("role=owner", {"owner"}),
            ("role=support&status=suspended", {"suspended support"}),
            ("status=active", {"owner", "admin", "support"}),
            ("role=admin&search=admin", {"admin"}),
            ("role=owner&status=suspended", set()),
            ("role=&status=", {"owner", "admin", "support", "suspended support"}),
        ],
    )
    def test_narrows_by_role_and_status(
        self, script_as: ScriptAs, query: str, found: set[str]
    ) -> None:
        script = script_as("owner")
        for role in ("admin", "support"):
            staff(role, role)
        staff("support", "suspended support", status="suspended")

        data = script.data("GET", f"/admins?{query}")

        names = {shown["full_name"].replace("Owner Person", "owner") for shown in data["admins"]}
        assert names == found
        assert data["total"] == len(found)

    @pytest.mark.parametrize(
        ("query", "field", "sentence"),
        [
            ("role=boss", "role", "The level is one of support, admin, owner."),
            ("role=OWNER", "role", "The level is one of support, admin, owner."),
            ("status=gone", "status", "The status is one of active, suspended."),
            ("status=%00", "status", "holds a control character"),
            ("status=" + "x" * 100_000, "status", "The status is one of active, suspended."),
        ],
    )
    def test_refuses_words_that_mean_nothing(
        self, script_as: ScriptAs, query: str, field: str, sentence: str
    ) -> None:
        error = script_as("owner").error("GET", f"/admins?{query}")

        assert sentence in error["fields"][field]

    def test_costs_three_statements_whatever_its_length(self, script_as: ScriptAs) -> None:
        script = script_as("owner")
        script.data("GET", "/admins")
        for _ in range(20):
            staff()

        with statements() as sent:
            script.data("GET", "/admins?search=example&role=admin")

        assert len(sent) == 3


class TestCreate:
    def test_adds_the_person_and_their_record(self, script_as: ScriptAs, session: Session) -> None:
        data = script_as("owner").data("POST", "/admins", ANN, status=201)

        ann = session.scalars(select(User).where(User.email_key == "ann@example.com")).one()
        assert data.keys() == SHOWN | {"set_password_url", "mailed"}
        assert {name: data[name] for name in ANN} == ANN
        assert (data["id"], data["user_id"]) == (record_of(session, ann).id, str(ann.id))
        assert (data["status"], data["last_login_at"]) == ("active", None)

    def test_is_written_to_the_audit(self, script_as: ScriptAs, session: Session) -> None:
        script_as("owner").data("POST", "/admins", ANN, status=201)

        assert actions(session) == [
            "user.created",
            "admin.created",
            "user.role_changed",
            "password.reset_issued",
        ]

    def test_gives_a_link_to_set_a_password(self, script_as: ScriptAs) -> None:
        data = script_as("owner").data("POST", "/admins", ANN, status=201)

        address = urlsplit(data["set_password_url"])
        found = find_reset(address.path.rpartition("/")[2])
        assert (address.scheme, address.netloc) == ("http", "localhost")
        assert found is not None
        assert found.email == "Ann@Example.com"
        assert data["mailed"] is False

    def test_makes_a_member_staff_who_keeps_their_name(
        self, script_as: ScriptAs, member: User, session: Session
    ) -> None:
        new = {"email": "MEMBER@example.com", "full_name": "Somebody", "role": "admin"}

        data = script_as("owner").data("POST", "/admins", new, status=201)

        assert data["user_id"] == str(member.id)
        assert (data["email"], data["full_name"]) == ("member@example.com", "Member Person")
        assert session.get_one(User, member.id).level.label == "admin"

    def test_of_a_member_needs_no_name(self, script_as: ScriptAs, member: User) -> None:
        new = {"email": "member@example.com", "role": "admin"}

        assert script_as("owner").data("POST", "/admins", new, status=201)

    def test_of_somebody_who_is_staff_is_refused(
        self, script_as: ScriptAs, support: User, session: Session
    ) -> None:
        new = {**ANN, "email": "Support@example.com"}

        error = script_as("owner").error("POST", "/admins", new)

        assert error["fields"] == {"email": "Support Person is staff already."}
        assert actions(session) == []
        assert session.scalars(select(PasswordReset)).all() == []

    def test_of_the_caller_is_refused(self, script_as: ScriptAs) -> None:
        error = script_as("owner").error("POST", "/admins", {**ANN, "email": "owner@example.com"})

        assert error["fields"] == {"email": "Owner Person is staff already."}

    @pytest.mark.parametrize("missing", ANN)
    def test_names_the_field_that_is_missing(
        self, script_as: ScriptAs, session: Session, missing: str
    ) -> None:
        new = {name: value for name, value in ANN.items() if name != missing}

        assert script_as("owner").error("POST", "/admins", new)["fields"].keys() == {missing}
        assert actions(session) == []

    def test_names_every_field_that_is_wrong(self, script_as: ScriptAs) -> None:
        new = {"email": "ann", "full_name": "Ann", "role": "boss"}

        assert script_as("owner").error("POST", "/admins", new)["fields"].keys() == {
            "email",
            "role",
        }

    @pytest.mark.parametrize("field", ["status", "id", "password", "version", "x" * 100_000])
    def test_refuses_a_field_it_does_not_have(
        self, script_as: ScriptAs, session: Session, field: str
    ) -> None:
        error = script_as("owner").error("POST", "/admins", {**ANN, field: "active"})

        assert error["fields"].keys() == {field[:60]}
        assert "There is no field called" in error["message"]
        assert actions(session) == []

    def test_by_somebody_faster_is_told_as_a_refusal(
        self, script_as: ScriptAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def clash(*_args: object, **_options: object) -> None:
            cause = Exception("UNIQUE constraint failed: users.email_key")
            raise IntegrityError("INSERT", {}, cause)

        script = script_as("owner")
        monkeypatch.setattr(admins, "create", clash)

        assert "moment ago" in script.error("POST", "/admins", ANN)["fields"]["email"]

    def test_by_an_unknown_clash_is_a_conflict(
        self, script_as: ScriptAs, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def clash(*_args: object, **_options: object) -> None:
            raise IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed: x.y"))

        script = script_as("owner")
        monkeypatch.setattr(admins, "create", clash)

        assert script.error("POST", "/admins", ANN, status=409)["fields"] == {}


class TestUpdate:
    def test_changes_address_and_name(
        self, script_as: ScriptAs, admin: User, session: Session
    ) -> None:
        path = path_of(session, admin)

        data = script_as("owner").data("PUT", path, {"email": "B@example.com", "full_name": "B"})

        assert data.keys() == SHOWN
        assert (data["email"], data["full_name"], data["role"]) == ("B@example.com", "B", "admin")
        assert actions(session) == ["user.updated", "admin.updated"]

    def test_changes_everything_at_once(
        self, script_as: ScriptAs, admin: User, session: Session
    ) -> None:
        path = path_of(session, admin)
        new = {**ANN, "role": "owner", "status": "suspended"}

        data = script_as("owner").data("PUT", path, new)

        assert {name: data[name] for name in new} == new

    def test_that_changes_nothing_leaves_no_trace(
        self, script_as: ScriptAs, admin: User, session: Session
    ) -> None:
        path = path_of(session, admin)
        same = {"email": admin.email, "full_name": "Admin Person", "role": "admin"}

        script_as("owner").data("PUT", path, same)

        assert actions(session) == []

    def test_of_the_own_name_is_allowed(
        self, script_as: ScriptAs, owner: User, session: Session
    ) -> None:
        path = path_of(session, owner)

        data = script_as("owner").data("PUT", path, {"full_name": "Me", "role": "owner"})

        assert data["full_name"] == "Me"

    def test_to_a_taken_address_is_refused(
        self, script_as: ScriptAs, admin: User, member: User, session: Session
    ) -> None:
        path = path_of(session, admin)
        new = {"email": "MEMBER@example.com", "role": "support"}

        error = script_as("owner").error("PUT", path, new)

        assert "exists" in error["fields"]["email"]
        assert record_of(session, admin).role == "admin"

    @pytest.mark.parametrize("path", ["role", "status"])
    def test_of_one_field_takes_no_other(
        self, script_as: ScriptAs, admin: User, session: Session, path: str
    ) -> None:
        url = f"{path_of(session, admin)}/{path}"

        error = script_as("owner").error("PUT", url, {"full_name": "B"})

        assert error["fields"].keys() == {"full_name"}


class TestRole:
    @pytest.mark.parametrize("route", ["", "/role"])
    def test_is_changed_by_an_owner(
        self, script_as: ScriptAs, admin: User, session: Session, route: str
    ) -> None:
        path = f"{path_of(session, admin)}{route}"

        data = script_as("owner").data("PUT", path, {"role": "owner"})

        assert data["role"] == "owner"
        assert actions(session) == ["admin.role_changed"]

    @pytest.mark.parametrize("route", ["", "/role"])
    def test_of_ones_own_is_refused(
        self, script_as: ScriptAs, owner: User, session: Session, route: str
    ) -> None:
        staff("owner")
        path = f"{path_of(session, owner)}{route}"

        error = script_as("owner").error("PUT", path, {"role": "admin"})

        assert error["message"] == "Nobody changes their own level. Ask another owner."
        assert record_of(session, owner).role == "owner"

    def test_lower_ends_sessions_and_tokens(self, script_as: ScriptAs, other: Other) -> None:
        script_as("owner").data("PUT", f"{other.path}/role", {"role": "admin"})

        assert other.answers() == {401}


class TestStatus:
    @pytest.mark.parametrize("route", ["", "/status"])
    def test_suspends_and_reinstates(
        self, script_as: ScriptAs, admin: User, session: Session, route: str
    ) -> None:
        script, path = script_as("owner"), f"{path_of(session, admin)}{route}"

        for status in ("suspended", "active"):
            assert script.data("PUT", path, {"status": status})["status"] == status

        told = [action for action in actions(session) if action.startswith("admin.")]
        assert told == ["admin.status_changed", "admin.status_changed"]

    @pytest.mark.parametrize("route", ["", "/status"])
    def test_of_ones_own_is_refused(
        self, script_as: ScriptAs, owner: User, session: Session, route: str
    ) -> None:
        staff("owner")
        path = f"{path_of(session, owner)}{route}"

        error = script_as("owner").error("PUT", path, {"status": "suspended"})

        assert error["message"] == "Nobody suspends or reinstates themselves. Ask another owner."
        assert record_of(session, owner).status == "active"

    def test_suspended_ends_sessions_and_tokens_for_good(
        self, script_as: ScriptAs, other: Other
    ) -> None:
        script = script_as("owner")

        script.data("PUT", f"{other.path}/status", {"status": "suspended"})
        at_once = other.answers()
        script.data("PUT", f"{other.path}/status", {"status": "active"})

        assert at_once | other.answers() == {401}


class TestDelete:
    def test_removes_the_record_and_keeps_the_person(
        self, script_as: ScriptAs, admin: User, session: Session
    ) -> None:
        pk = record_of(session, admin).id

        data = script_as("owner").data("DELETE", f"/admins/{pk}")

        assert data == {"id": pk}
        assert session.get_one(User, admin.id).level.label == "none"
        assert actions(session) == ["admin.deleted", "user.role_changed"]

    def test_of_oneself_is_refused(
        self, script_as: ScriptAs, owner: User, session: Session
    ) -> None:
        staff("owner")

        error = script_as("owner").error("DELETE", path_of(session, owner))

        assert error["message"] == "Nobody removes themselves. Ask another owner."
        assert record_of(session, owner).is_active_owner

    def test_ends_sessions_and_tokens(self, script_as: ScriptAs, other: Other) -> None:
        script_as("owner").data("DELETE", other.path)

        assert other.answers() == {401}


class TestLastOwner:
    @pytest.mark.parametrize(
        "route",
        [
            ("PUT", "/role", {"role": "admin"}),
            ("PUT", "/status", {"status": "suspended"}),
            ("PUT", "", {"role": "support"}),
            ("DELETE", "", None),
        ],
        ids=str,
    )
    def test_stays(self, script_as: ScriptAs, owner: User, session: Session, route: Route) -> None:
        verb, path, body = route
        staff("owner", status="suspended")

        error = script_as("owner").error(verb, path_of(session, owner) + path, body)

        assert error["message"].startswith("Nobody ")
        assert record_of(session, owner).is_active_owner

    def test_refusal_is_told_in_its_sentence(
        self, script_as: ScriptAs, admin: User, session: Session, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sentence = "Ann is the last active owner. Make somebody else an owner first."
        path = path_of(session, admin)
        script = script_as("owner")
        # the caller is an active owner, so nobody else is the last one: it needs a hand
        monkeypatch.setattr(admins, "objection", lambda *_a, **_k: LastOwnerError(sentence))

        messages = {
            script.error("PUT", f"{path}/role", {"role": "support"})["message"],
            script.error("PUT", f"{path}/status", {"status": "suspended"})["message"],
            script.error("DELETE", path)["message"],
        }

        assert messages == {sentence}
        assert actions(session) == []

    def test_is_not_who_was_suspended(self, script_as: ScriptAs) -> None:
        pk = staff("owner", status="suspended").id

        assert script_as("owner").data("DELETE", f"/admins/{pk}") == {"id": pk}


class TestLevels:
    @pytest.mark.parametrize("who", ["member", "support", "admin"])
    @pytest.mark.parametrize("route", ROUTES, ids=str)
    def test_below_owner_are_refused_everywhere(
        self, script_as: ScriptAs, session: Session, who: str, route: Route
    ) -> None:
        verb, path, body = route
        pk = staff().id

        error = script_as(who).error(verb, path.format(id=pk), body, status=403)

        assert ("needs an owner" in error["message"]) == (who != "member")
        assert actions(session) == ["access.denied"]

    @pytest.mark.parametrize("who", ["member", "support", "admin"])
    def test_below_owner_learn_of_no_id(self, script_as: ScriptAs, who: str) -> None:
        script = script_as(who)

        assert {script.ask("GET", f"/admins/{pk}").status_code for pk in (1, 999, "x")} == {403}

    @pytest.mark.parametrize("route", ROUTES, ids=str)
    def test_the_signed_out_are_asked_to_sign_in(
        self, client: SiteClient, session: Session, route: Route
    ) -> None:
        verb, path, body = route

        answer = client.open("/admin/api" + path.format(id=staff().id), method=verb, json=body)

        assert answer.status_code == 401
        assert refusal(answer)["message"] == "Sign in to go on."
        assert actions(session) == []

    @pytest.mark.parametrize("route", ROUTES, ids=str)
    def test_owners_may_do_it_all_with_a_cookie(self, client_as: ClientAs, route: Route) -> None:
        verb, path, body = route
        browser, url = client_as("owner"), "/admin/api" + path.format(id=staff().id)

        answer = browser.open(url, method=verb, json=body)

        assert answer.status_code == (201 if verb == "POST" else 200)

    @pytest.mark.parametrize("route", ROUTES, ids=str)
    def test_owners_may_do_it_all_with_a_slash_at_the_end(
        self, script_as: ScriptAs, route: Route
    ) -> None:
        verb, path, body = route

        answer = script_as("owner").ask(verb, path.format(id=staff().id) + "/", body)

        assert answer.status_code == (201 if verb == "POST" else 200)


class TestFlow:
    def test_from_creation_to_deletion(self, script_as: ScriptAs, session: Session) -> None:
        script = script_as("owner")
        made = script.data("POST", "/admins", ANN, status=201)
        path = f"/admins/{made['id']}"

        assert script.data("GET", path) == {name: made[name] for name in SHOWN}
        assert script.data("GET", "/admins?search=ann@")["admins"] == [script.data("GET", path)]
        assert script.data("PUT", path, {"full_name": "Ann B."})["full_name"] == "Ann B."
        assert script.data("PUT", f"{path}/role", {"role": "owner"})["role"] == "owner"
        assert script.data("PUT", f"{path}/status", {"status": "suspended"})["role"] == "owner"
        assert script.data("GET", path)["status"] == "suspended"
        assert script.data("DELETE", path) == {"id": made["id"]}
        assert script.error("GET", path, status=404)
        assert script.data("GET", "/admins")["total"] == 1
        told = [action for action in actions(session) if action.startswith("admin.")]
        assert told == [
            f"admin.{verb}"
            for verb in ("created", "updated", "role_changed", "status_changed", "deleted")
        ]
