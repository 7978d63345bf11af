"""What the events of the audit say became of people, staff and owners, over plain dicts."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from adminsite.models import AuditEvent

Owners = tuple[UUID, frozenset[UUID]]  # the primary one, the others


@dataclass
class Told:
    """People and staff records by key, the owners of links by slug.

    Attributes:
        people: address, display name and role.
        staff: whose record it is, level and status.
        owners: of each link.
    """

    people: dict[UUID, dict[str, str]] = field(default_factory=dict)
    staff: dict[int, dict[str, Any]] = field(default_factory=dict)
    owners: dict[str, Owners] = field(default_factory=dict)

    def after(self, events: Iterable[AuditEvent]) -> "Told":
        """What follows from this by the events.

        Raises:
            AssertionError: one of them tells of something before it that was not so.
        """
        told = deepcopy(self)
        for event in events:
            getattr(told, f"_{event.subject_type}")(event)
        return told

    def _user(self, event: AuditEvent) -> None:
        key, changes = UUID(event.subject_id), event.changes
        _move(self.people.setdefault(key, {}), changes, ("email", "display_name", "role"))
        if event.action == "user.deleted":
            self._shares(key, changes)
            assert not self.people.pop(key)
            assert all(key not in {one, *others} for one, others in self.owners.values())

    def _shares(self, leaver: UUID, changes: Mapping[str, Any]) -> None:
        """Follow what the event of a deletion says of every link."""
        for slug in changes.get("links_deleted", ([],))[0]:
            del self.owners[slug]
        for slug in changes.get("co_owned_links", ([],))[0]:
            if slug in self.owners:  # else it went with its owner, who left as well
                primary, others = self.owners[slug]
                assert leaver in others
                self.owners[slug] = (primary, others - {leaver})
        slugs, taker = changes.get("links_reassigned", ([], ""))
        left, takers = changes.get("links_left_to", ([], []))
        for slug, email in zip([*left, *slugs], [*takers, *[taker] * len(slugs)], strict=True):
            primary, others = self.owners[slug]
            assert leaver == primary
            self.owners[slug] = (self._key(email), others - {self._key(email)})

    def _admin(self, event: AuditEvent) -> None:
        key, changes = int(event.subject_id or 0), dict(event.changes)
        if event.action == "admin.created":
            self.staff[key] = {"user": self._key(changes["email"][1])}
        _move(self.staff[key], changes, ("role", "status"))
        if event.action == "admin.updated":
            person = self.people[self.staff[key]["user"]]
            shown = {"email": person["email"], "full_name": person["display_name"]}
            assert all(shown[name] == after for name, (_, after) in changes.items())
        if event.action == "admin.deleted":
            assert list(self.staff.pop(key)) == ["user"]

    def _link(self, event: AuditEvent) -> None:
        slug, (before, after) = str(event.subject_label), event.changes["owners"]
        assert self.owners.get(slug) == (before and self._all(before))
        self.owners[slug] = self._all(after)

    def _all(self, emails: list[str]) -> Owners:
        primary, *others = (self._key(email) for email in emails)
        return primary, frozenset(others)

    def _key(self, email: str) -> UUID:
        (key,) = (key for key, person in self.people.items() if person.get("email") == email)
        return key


def _move(row: dict[str, Any], changes: Mapping[str, Any], fields: tuple[str, ...]) -> None:
    for name in fields:
        if name in changes:
            before, after = changes[name]
            assert row.pop(name, None) == before
            row |= {} if after is None else {name: after}
