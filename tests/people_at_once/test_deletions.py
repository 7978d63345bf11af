"""A person deleted while another process deletes them too, or edits what they own."""

from collections.abc import Iterator
from itertools import product

import pytest
from flask import Flask

from adminsite import audit
from adminsite.db import db
from adminsite.models import AuditEvent, Link, LinkOwner, User
from tests.operations.stored import count, owners, staff
from tests.people_at_once.worker import Order, Pair
from tests.rows import link, person

ROUNDS = 6  # of every combination
BOOLS = (False, True)
ACTIONS = ("reassign", "delete")


class Case:
    """Two admins, and Ann, who owns "mine" alone and "shared" with Bob."""

    def __init__(self, number: int) -> None:
        self.one, self.other = staff("admin").user, staff("admin").user
        self.ann, self.bob = person("Ann"), person("Bob")
        self.mine = link(slug=f"mine-{number}", owner=self.ann)
        self.shared = link(slug=f"shared-{number}", owner=self.ann, co_owners=[self.bob])
        self.keys = {name: getattr(self, name).id for name in ("one", "other", "ann", "bob")}
        self.emails = {key: getattr(self, key).email for key in self.keys}

    def delete(self, by: str, link_action: str, *, shown: bool, early: bool = False) -> Order:
        told = {"link_action": link_action, "shown": shown, "early": early}
        return Order("delete_user", {"by": self.keys[by], "user": self.keys["ann"], **told})

    def rename(self, by: str) -> Order:
        told = {"link": self.mine.id, "title": "New"}
        return Order("rename_link", {"by": self.keys[by], **told})

    def give(self, by: str, slug: str, to: str) -> Order:
        told = {"link": getattr(self, slug).id, "to": self.keys[to]}
        return Order("give_link", {"by": self.keys[by], **told})

    def owners(self, name: str) -> list[str]:
        """Who owns the link, by their names here; the primary owner first."""
        known = {email: key for key, email in self.emails.items()}
        return [known[email] for email in owners(getattr(self, name).slug)]


@pytest.fixture
def cases(app: Flask) -> Iterator[Iterator[Case]]:
    """Ever new cases; at the end every link must have an owner, and the audit hold."""

    def made() -> Iterator[Case]:
        number = 0
        while True:
            db.session.rollback()
            yield Case(number := number + 1)

    yield made()
    db.session.rollback()
    assert count(LinkOwner, LinkOwner.is_primary) == count(Link)
    assert audit.first_broken() is None


def is_left(case: Case) -> bool:
    db.session.rollback()
    return count(User, User.id == case.keys["ann"]) == 1


class TestTwoDelete:
    @pytest.mark.parametrize("second", ACTIONS)
    @pytest.mark.parametrize("first", ACTIONS)
    def test_it_happens_once(
        self, cases: Iterator[Case], pair: Pair, first: str, second: str
    ) -> None:
        for shown, early, _ in product(BOOLS, BOOLS, range(ROUNDS // 2)):
            case = next(cases)

            answers = pair.at_once(
                case.delete("one", first, shown=shown, early=early),
                case.delete("other", second, shown=shown, early=early),
            )

            statuses = sorted(answer.status for answer in answers)
            assert statuses in ([200, 404], [200, 409])
            assert not is_left(case)
            assert count(AuditEvent, AuditEvent.subject_id == str(case.keys["ann"])) == 1
            winner, action = ("one", first) if answers[0].kind == "done" else ("other", second)
            kept = action == "reassign"
            assert case.owners("mine") == ([winner] if kept else [])
            assert case.owners("shared") == ([winner, "bob"] if kept else ["bob"])


class TestEditMeanwhile:
    def test_with_reassign_is_never_lost(self, cases: Iterator[Case], pair: Pair) -> None:
        for shown, _ in product(BOOLS, range(ROUNDS)):
            case = next(cases)

            answers = pair.at_once(
                case.delete("one", "reassign", shown=shown), case.rename("other")
            )

            assert [answer.kind for answer in answers] == ["done", "done"]
            db.session.rollback()
            assert db.session.get_one(Link, case.mine.id, populate_existing=True).title == "New"
            assert case.owners("mine") == ["one"]

    def test_with_delete_comes_first_or_finds_nothing(
        self, cases: Iterator[Case], pair: Pair
    ) -> None:
        for shown, _ in product(BOOLS, range(ROUNDS)):
            case = next(cases)

            answers = pair.at_once(case.delete("one", "delete", shown=shown), case.rename("other"))

            assert answers[0].kind == "done"
            assert answers[1].status in {200, 404}
            assert case.owners("mine") == []


class TestTransferMeanwhile:
    """Her link is given to Bob, by somebody else, at the same moment."""

    @pytest.mark.parametrize("slug", ["mine", "shared"])
    def test_with_reassign_is_never_lost(
        self, cases: Iterator[Case], pair: Pair, slug: str
    ) -> None:
        for shown, _ in product(BOOLS, range(ROUNDS)):
            case = next(cases)

            deleted, given = pair.at_once(
                case.delete("one", "reassign", shown=shown), case.give("other", slug, "bob")
            )

            assert given.kind == "done"
            assert deleted.kind in {"done", "PlanChangedError"}
            assert is_left(case) == (deleted.kind != "done")
            assert case.owners(slug)[0] == "bob"
            assert ("ann" in case.owners(slug)) == is_left(case)

    def test_with_delete_comes_first_or_finds_nothing(
        self, cases: Iterator[Case], pair: Pair
    ) -> None:
        for shown, _ in product(BOOLS, range(ROUNDS)):
            case = next(cases)

            deleted, given = pair.at_once(
                case.delete("one", "delete", shown=shown), case.give("other", "mine", "bob")
            )

            assert deleted.kind in {"done", "PlanChangedError"}
            assert given.status in {200, 404}
            assert is_left(case) == (deleted.kind != "done")
            assert (
                case.owners("mine")
                == {
                    ("done", "done"): ["bob"],
                    ("done", "MissingError"): [],
                    ("PlanChangedError", "done"): ["bob", "ann"],
                }[deleted.kind, given.kind]
            )

    def test_to_the_one_who_goes_is_refused_or_asked_about(
        self, cases: Iterator[Case], pair: Pair
    ) -> None:
        for action, shown, _ in product(ACTIONS, BOOLS, range(ROUNDS)):
            case = next(cases)
            hers = link(owner=case.bob)
            given_to_ann = Order(
                "give_link", {"by": case.keys["other"], "link": hers.id, "to": case.keys["ann"]}
            )

            deleted, given = pair.at_once(case.delete("one", action, shown=shown), given_to_ann)

            assert deleted.status in {200, 409}
            assert given.status in {200, 404, 422}
            assert "done" in {deleted.kind, given.kind}
            assert is_left(case) == (deleted.kind != "done")
