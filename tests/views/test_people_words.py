"""What the people screens say: of events, of browsers, and of deletions that are asked about."""

from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from adminsite.db import utc_now
from adminsite.models import AuditEvent
from adminsite.queries.deletion import DeletionPlan, Leaver, Share
from adminsite.views.browsers import browser_name
from adminsite.views.timelines import SHOWN, Entry, entries
from adminsite.views.users import question

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1"
ANDROID = "Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0"


class TestBrowsers:
    @pytest.mark.parametrize(
        ("agent", "name"),
        [
            (CHROME, "Chrome on Linux"),
            (EDGE, "Edge on Windows"),
            (SAFARI, "Safari on iPhone"),
            (ANDROID, "Firefox on Android"),
            ("curl/8.5.0", "curl/8.5.0"),
            ("x" * 400, "x" * 60),
            ("", ""),
            (None, ""),
        ],
    )
    def test_are_called_as_people_call_them(self, agent: str | None, name: str) -> None:
        assert browser_name(agent) == name


def entry(action: str = "user.updated", changes: Any = None, **values: Any) -> Entry:
    told = {"id": 1, "actor_email": "a@example.com", "reason": None, "at": utc_now(), **values}
    event = SimpleNamespace(action=action, changes=changes or {}, **told)
    [made] = entries([cast("AuditEvent", event)])
    return made


class TestTimeline:
    @pytest.mark.parametrize(
        ("action", "said"),
        [
            ("user.role_changed", "changed the role"),
            ("token.revoked", "revoked an API token"),
            ("door.left_open", "door left open"),
        ],
    )
    def test_says_what_was_done(self, action: str, said: str) -> None:
        assert entry(action).said == said

    def test_names_somebody_where_nobody_is_known(self) -> None:
        assert entry(actor_email=None).who == "somebody"

    def test_tells_each_field_before_and_after(self) -> None:
        changes = {"display_name": ["Mia", "Zoe"], "stripe_customer_id": [None, "cus_1"]}

        told = [(one.field, one.before, one.after) for one in entry(changes=changes).changes]

        assert told == [("Name", "Mia", "Zoe"), ("Stripe customer id", "", "cus_1")]

    def test_joins_lists_and_cuts_what_is_long(self) -> None:
        changes = {"links": [["a", "b"], None], "note": [None, "x" * 500]}

        links, note = entry(changes=changes).changes

        assert (links.before, links.after) == ("a, b", "")
        assert (len(note.after), note.after[-1]) == (SHOWN, "…")

    @pytest.mark.parametrize(
        "changes", [{"last_login_at": [None, "now"]}, {"until": "noon"}, {"note": ["", None]}]
    )
    def test_leaves_out_what_is_no_change(self, changes: dict[str, Any]) -> None:
        assert entry(changes=changes).changes == ()

    @pytest.mark.parametrize(("value", "after"), [(3, "3"), ([1, 2, 3], "1, 2, 3")])
    def test_tells_a_value_alone_as_what_was_there_after(self, value: Any, after: str) -> None:
        [told] = entry(changes={"count": value}).changes

        assert (told.before, told.after) == ("", after)


def leaver(name: str = "Mia", **values: Any) -> Leaver:
    told = {"balance": 0, "subscription": None, "is_staff": False, **values}
    return Leaver(id=uuid4(), email=f"{name}@example.com".lower(), name=name, **told)


def share(who: UUID, slug: str, *, primary: bool = True, stays: str | None = None) -> Share:
    return Share(who, 1, slug, primary, stays)


class TestQuestion:
    def test_of_one_names_the_person(self) -> None:
        asked = question(DeletionPlan((leaver(),), ()))

        assert dict(asked.facts)["E-mail"] == "mia@example.com"
        assert asked.warning == (
            "This is permanent. The account, its sessions and API tokens end at once."
        )

    def test_of_many_adds_them_up(self) -> None:
        people = (
            leaver(balance=1000, subscription=("pro", "active")),
            leaver("Bob", balance=-1, subscription=(None, "past_due")),
            leaver("Zoe"),
        )

        asked = question(DeletionPlan(people, ()))

        facts = dict(asked.facts)
        assert (facts["Credits"], facts["Running subscriptions"]) == ("999", "2")
        assert "E-mail" not in facts
        assert "A running subscription is not canceled" in asked.warning

    def test_of_an_unknown_plan_says_so(self) -> None:
        asked = question(DeletionPlan((leaver(subscription=(None, "past_due")),), ()))

        assert dict(asked.facts)["Subscription"] == "unknown plan, past due"

    def test_of_nobody_with_links_says_there_are_none(self) -> None:
        reassign, delete = question(DeletionPlan((leaver(),), ())).choices

        assert (reassign.about, delete.about) == ("There are none to take.", "None is deleted.")
        assert delete.sample == ()

    def test_says_one_and_many_as_people_do(self) -> None:
        mia = leaver()
        shares = (
            share(mia.id, "one"),
            share(mia.id, "two", stays="b@example.com"),
            share(mia.id, "three", primary=False, stays="c@example.com"),
            share(mia.id, "four", primary=False, stays="c@example.com"),
        )

        reassign, delete = question(DeletionPlan((mia,), shares)).choices

        assert reassign.about == (
            "2 links become yours. 2 links only co-owned stay with the primary owner."
        )
        assert delete.about == (
            "1 link that nobody else owns is deleted. "
            "1 link goes to the longest-standing co-owner. "
            "2 links only co-owned stay with the primary owner."
        )

    def test_samples_in_the_order_of_the_alphabet(self) -> None:
        mia = leaver()
        shares = tuple(share(mia.id, slug) for slug in "gfedcba")

        _reassign, delete = question(DeletionPlan((mia,), shares)).choices

        assert (delete.sample, delete.more) == (("a", "b", "c", "d", "e"), 2)

    def test_carries_the_plan(self) -> None:
        plan = DeletionPlan((leaver(),), ())

        assert question(plan).fields == {"plan": plan.digest}
