"""Users: people by e-mail address; members and staff alike.

Source: D-1, D-4, D-5, D-15 to D-18, D-22.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption

from adminsite.audit import AUDITED_DML, created, record, removed
from adminsite.db import db
from adminsite.errors import InvalidError, MissingError, OutdatedError, RuleError
from adminsite.models import User
from adminsite.operations import rules, shares
from adminsite.operations.sessions import end_links, shut_out
from adminsite.operations.versions import (
    Saved,
    finish,
    is_locked,
    key_of,
    lock,
    lock_rows,
    reconcile,
    write,
)
from adminsite.permissions import Actor, Permission, require
from adminsite.queries import deletion
from adminsite.queries.deletion import DeletionPlan, Leaver

FIELDS = ("email", "display_name", "role")
LINK_ACTIONS = ("reassign", "delete")
# What the rules ask about people; load it along when there are many. In a statement of its own,
# after the one that waits for the locks: that one would not see a record made meanwhile.
RELATIONS: tuple[ORMOption, ...] = (selectinload(User.staff),)
RULES: dict[str, rules.Rule] = {
    "email": rules.email,
    "display_name": rules.display_name,
    "role": rules.role,
}


class SelfChangeError(RuleError):
    """Nobody changes their own role or status, or deletes themselves (D-5)."""


class StaffChangeError(RuleError):
    """What a staff record says is changed there, so that both agree (D-1)."""


class LinkActionError(RuleError):
    """Deleting a person needs an answer: what becomes of their links (D-15)."""


class PlanChangedError(OutdatedError):
    """What a deletion would do has changed since it was shown; nothing was deleted.

    Attributes:
        plan: what it would do now.
    """

    def __init__(self, plan: DeletionPlan) -> None:
        super().__init__(
            "Something about these people or their links changed since you were asked. "
            "Nothing was deleted: look at it again."
        )
        self.plan = plan


def checked(values: Mapping[str, object], *, by: Actor) -> dict[str, Any]:  # noqa: ARG001 - as in the others
    """The values of a new person as they will be stored.

    Raises:
        InvalidError: a field breaks its rule.
    """
    return rules.complete(values, RULES)


def check_new_role(values: Mapping[str, object], by: Actor) -> None:
    """Whether somebody may be added with this role: no answer means yes.

    Raises:
        ForbiddenError: the person may not give a role.

    Source: D-3, D-4.
    """
    if values["role"] != User.ROLES[0]:
        require(by, Permission.ROLES_WRITE)


def create(values: Mapping[str, object], *, by: Actor) -> User:
    """Add a person, who cannot sign in before they have a password.

    Raises:
        ForbiddenError: the person may not add people, or not with that role.
        InvalidError: a field breaks its rule, or the address is taken.

    Source: D-22.
    """
    return create_many([values], by=by)[0]


def create_many(batch: Sequence[Mapping[str, object]], *, by: Actor) -> list[User]:
    """Add people with as few statements as one needs.

    Raises:
        ForbiddenError: the person may not add people, or not with such a role.
        InvalidError: a field of one breaks its rule, or an address is taken.
    """
    require(by, Permission.USERS_WRITE)
    clean = [checked(values, by=by) for values in batch]
    for values in clean:
        check_new_role(values, by)
    _refuse_taken([values["email"] for values in clean])
    people = [User(**values) for values in clean]
    db.session.add_all(people)
    for person in people:
        record("user.created", person, created(person, FIELDS), by=by)
    db.session.flush()
    return people


def update(
    user: User, values: Mapping[str, object], *, by: Actor, seen: int | None = None
) -> Saved[User]:
    """Change a person's address, name or role; a new role ends their sessions.

    Taking the role away ends their API tokens and one-time links too, a new address the links.
    What is changed of a member of staff is told by an event of the staff record as well, which
    shows it (D-1).

    Raises:
        ForbiddenError: the person may not change people, or not their role, or not staff.
        InvalidError: a field breaks its rule, or the address is taken.
        SelfChangeError: one's own role.
        StaffChangeError: the role of somebody with a staff record.
        ConflictError: somebody else changed the same field meanwhile.
        MissingError: the user was deleted meanwhile.

    Source: D-1, D-5, D-7, D-22.
    """
    require(by, Permission.USERS_WRITE)
    lock(user)
    apply, merged = reconcile(user, rules.check(values, RULES), seen, FIELDS)
    if "email" in apply and apply["email"].lower() != user.email_key:
        _refuse_taken([apply["email"]])
    if "role" in apply:
        check_role_change(user, by=by)
    if apply.keys() - {"role"} and user.is_staff and user.id != by.id:
        require(by, Permission.STAFF_WRITE)
    if apply:
        changes = write(user, apply)
        if "email" in apply:
            changes |= end_links(user)  # they went to the old address, perhaps a mistyped one
        if "role" in apply:
            changes |= shut_out(user, tokens=user.role == User.ROLES[0])
        finish(user, f"user.{'role_changed' if 'role' in apply else 'updated'}", changes, by=by)
        _tell_staff(user, changes, by)
    return Saved(user, tuple(apply), merged)


def delete(
    user: User, *, by: Actor, link_action: str | None = None, plan: str | None = None
) -> DeletionPlan:
    """Delete a person, with an answer to what becomes of their links; see `delete_all`."""
    return delete_all([user], by=by, link_action=link_action, plan=plan)


def delete_all(
    people: Sequence[User], *, by: Actor, link_action: str | None = None, plan: str | None = None
) -> DeletionPlan:
    """Delete people, all or none; what that did.

    Their shares as co-owners, sessions, tokens and subscriptions go with them; their ledger
    entries stay, with the address. Every link keeps exactly one primary owner. At most nine
    statements and the audit's three, however many links they own.

    Args:
        link_action: "reassign": what they are primary owner of becomes the actor's. "delete":
            the longest-standing co-owner becomes primary; what nobody else owns is deleted.
        plan: the digest of the `DeletionPlan` that was shown; None to go by what is stored.

    Raises:
        ForbiddenError: the actor may not delete people.
        MissingError: one of them was deleted meanwhile.
        SelfChangeError: the actor is one of them.
        StaffChangeError: one of them is staff.
        LinkActionError: no link_action, or an unknown one.
        PlanChangedError: what it would do has changed since it was shown.

    Source: D-15 to D-18, R-001-45 to R-001-50, R-001-56 to R-001-59.
    """
    require(by, Permission.USERS_WRITE)
    ids = [key_of(user) for user in people]
    locked = _lock_with_links(people, ids)
    leavers = deletion.leavers(db.session(), ids)  # a statement of its own sees who got a record
    for leaver in leavers:
        if reason := deletion_objection(leaver, by=by):
            raise reason
    if link_action not in LINK_ACTIONS:
        given = "is required" if not link_action else f"cannot be “{link_action[:40]}”"
        raise LinkActionError(f"link_action {given}: say {' or '.join(LINK_ACTIONS)}.")
    if link_action == "reassign" and by.id is None:
        raise LinkActionError("Only a person can take links over.")
    now = DeletionPlan(leavers, deletion.shares(db.session(), ids))
    late = locked is not None and not locked.issuperset(share.link_id for share in now.shares)
    if late or (plan and plan != now.digest):
        raise PlanChangedError(now)
    _hand_over(now, link_action, by)
    for user in people:
        record("user.deleted", user, _told(user, now, link_action, by), by=by)
    gone = sql_delete(User).where(User.id.in_(ids))
    told = {AUDITED_DML: True, "synchronize_session": False}
    db.session.execute(gone, execution_options=told)
    return now


def deletion_objection(person: Leaver | User, *, by: Actor) -> RuleError | None:
    """Why this person is not deleted by that one; None when they may be.

    Source: D-5, D-15, D-17.
    """
    if person.id == by.id:
        return SelfChangeError("Nobody deletes themselves. Ask another admin.")
    if person.is_staff:
        return StaffChangeError(f"{person.email} is staff. Remove staff access first.")
    return None


def check_role_change(user: User, *, by: Actor) -> None:
    """Whether this person's role may be changed by that one: no answer means yes.

    Raises:
        ForbiddenError: the person may not change roles.
        SelfChangeError: one's own role.
        StaffChangeError: somebody with a staff record.

    Source: D-1, D-4, D-5.
    """
    require(by, Permission.ROLES_WRITE)
    if user.id == by.id:
        raise SelfChangeError("Nobody changes their own role. Ask another owner.")
    if user.staff is not None:
        raise StaffChangeError(
            f"{user.display_name} has a staff record. Change their level or status there."
        )


def _lock_with_links(people: Sequence[User], ids: Sequence[UUID]) -> frozenset[int] | None:
    """Lock people, then their links, then the people against new shares; the links' keys.

    Always in this order: a screen has locked the people before it asks to delete them.

    Raises:
        MissingError: one of them was deleted meanwhile.
    """
    theirs = User.id.in_(ids)
    if not all(map(is_locked, people)):
        lock_rows(User, theirs)
    locked = shares.lock_links(ids)
    if len(lock_rows(User, theirs, to_delete=True)) < len(ids):
        raise MissingError("This user was deleted meanwhile.")
    return locked


def _hand_over(plan: DeletionPlan, link_action: str, by: Actor) -> None:
    ids = [person.id for person in plan.people]
    if link_action == "reassign" and by.id is not None and (plan.sole or plan.shared):
        shares.reassign(ids, by.id, shared=bool(plan.shared))
    if link_action == "delete" and plan.sole:
        shares.delete_unowned(ids)
    if link_action == "delete" and plan.shared:
        shares.leave_to_co_owners(ids)


def _told(user: User, plan: DeletionPlan, link_action: str, by: Actor) -> dict[str, Any]:
    """What the event of a deletion says: the person, and every link with what became of it."""

    def slugs(shares_of: Sequence[deletion.Share]) -> list[str]:
        if len(plan.people) == 1:
            return [share.slug for share in shares_of]
        return [share.slug for share in shares_of if share.user_id == user.id]

    changes = removed(user, (*FIELDS, "credits_balance"))
    links: dict[str, list[Any]] = {"co_owned_links": [slugs(plan.co_owned), None]}
    if link_action == "reassign":
        links["links_reassigned"] = [slugs([*plan.sole, *plan.shared]), by.email]
    else:
        mine = [share for share in plan.shared if share.user_id == user.id]
        links["links_deleted"] = [slugs(plan.sole), None]
        links["links_left_to"] = [slugs(mine), [share.stays for share in mine]]
    return changes | {name: told for name, told in links.items() if told[0]}


def _tell_staff(user: User, changes: Mapping[str, Any], by: Actor) -> None:
    """Let the staff record tell of the person's new address and name, which it shows."""
    shown = {"email": "email", "display_name": "full_name"}
    told = {shown[name]: pair for name, pair in changes.items() if name in shown}
    if told and user.staff is not None:
        finish(user.staff, "admin.updated", told, by=by)


def _refuse_taken(emails: list[str]) -> None:
    keys = [email.lower() for email in emails]
    taken = set(db.session.scalars(select(User.email_key).where(User.email_key.in_(keys))))
    for email, key in zip(emails, keys, strict=True):
        if key in taken:
            sentence = f"Somebody with the address `{email}` exists. Edit that person instead."
            raise InvalidError({"email": sentence})
        taken.add(key)
