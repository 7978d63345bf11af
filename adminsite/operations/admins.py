"""Admins: the staff record of a person, and what it may become.

Source: D-1, D-5 to D-7; `owners` says what is locked.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.interfaces import ORMOption

from adminsite.audit import created, record, removed
from adminsite.db import db
from adminsite.errors import InvalidError, RuleError
from adminsite.models import Admin, User
from adminsite.operations import credentials, rules, users
from adminsite.operations.owners import (
    ACTIVE_OWNER,
    active_owners,
    hold,
    lock_people,
    require_still,
)
from adminsite.operations.sessions import shut_out
from adminsite.operations.users import SelfChangeError
from adminsite.operations.versions import (
    Saved,
    finish,
    gone,
    is_locked,
    key_of,
    mark_locked,
    reconcile,
    write,
)
from adminsite.permissions import Actor, Level, Permission, require

FIELDS = ("email", "full_name", "role", "status")
KEPT = ("role", "status")
RULES: dict[str, rules.Rule] = {
    "email": rules.email,
    "full_name": rules.display_name,
    "role": rules.level,
    "status": rules.status,
}
OF_THE_PERSON = {"email": "email", "full_name": "display_name"}


class LastOwnerError(RuleError):
    """Somebody has to be able to manage the staff (D-6)."""


def create(values: Mapping[str, object], *, by: Actor) -> Admin:
    """Make somebody staff by e-mail: the person who has it, else a new one.

    Args:
        values: `email`, `role`, and `full_name` for somebody new; who exists keeps theirs.

    Raises:
        ForbiddenError: the actor may not manage staff.
        InvalidError: a field breaks its rule, or the person is staff already.

    Source: D-1, R-000-15, R-000-59.
    """
    require(by, Permission.STAFF_WRITE)
    asked = {"email": None, "role": None, **values}
    if status := str(asked.pop("status", "") or ""):
        rules.check({"status": status}, RULES)
    if not asked.get("full_name"):
        asked.pop("full_name", None)  # needed for somebody new only
    clean = rules.check(asked, RULES)
    user = find(clean["email"])
    if user is None:
        clean |= rules.check({"full_name": asked.get("full_name")}, RULES)
        user = users.create({new: clean[own] for own, new in OF_THE_PERSON.items()}, by=by)
    staff = appoint(user, clean["role"], by=by)
    return staff if status in {"", staff.status} else change_status(staff, status, by=by)


def appoint(user: User, role: str, *, by: Actor) -> Admin:
    """Make a person staff; their own role follows, so that both agree, and their sessions end.

    Raises:
        ForbiddenError: the actor may not manage staff.
        InvalidError: there is no such level, or the person is staff already.
        MissingError: the person was deleted meanwhile.

    Source: D-1, D-7.
    """
    require(by, Permission.STAFF_WRITE)
    clean = rules.check({"role": role}, RULES)
    hold(user)
    require_still(by, active_owners().values())
    if user.staff is not None:
        raise InvalidError({"email": f"{user.display_name} is staff already."})
    before = user.level
    staff = Admin(user_id=user.id, role=clean["role"], status="active")  # changes no person
    db.session.add(staff)
    db.session.flush()
    db.session.expire(user, ["staff"])
    told = created(staff, KEPT) | {"email": [None, user.email]} | _ended(user, before)
    record("admin.created", staff, told, by=by)
    _agree(staff, by)
    mark_locked([staff])
    return staff


def make_owner(email: str, name: str, password: str | None, *, by: Actor) -> Admin:
    """Make somebody an active owner, adding the person when nobody has that address.

    Args:
        email: compared in lower case.
        name: for a new person; one who exists keeps theirs.
        password: None leaves the stored one as it is.
        by: who appoints.

    Raises:
        ForbiddenError: the actor may not manage staff.
        InvalidError: the address, the name or the password breaks its rule.

    Source: D-1, D-22, R-000-15.
    """
    require(by, Permission.STAFF_WRITE)
    clean = rules.check({"email": email, "display_name": name}, users.RULES)
    user = find(clean["email"])
    if password is not None:
        known = user.display_name if user else name
        credentials.check(password, email=clean["email"], name=known)
    if user is None:
        user = users.create(clean, by=by)
    hold(user)
    if password is not None:
        credentials.set_password(user, password, by=by)
    if user.staff is None:
        return appoint(user, "owner", by=by)
    return update(user.staff, {"role": "owner", "status": "active"}, by=by).row


def find(email: str) -> User | None:
    """The person with that address, however it is capitalised."""
    return db.session.scalar(select(User).where(User.email_key == email.strip().lower()))


def update(
    admin: Admin, values: Mapping[str, object], *, by: Actor, seen: int | None = None
) -> Saved[Admin]:
    """Change a member of staff: their person's address and name, their level and status.

    Raises:
        ForbiddenError: the actor may not manage staff, or no longer.
        InvalidError: a field breaks its rule, or the address is taken.
        SelfChangeError: one's own level or status.
        LastOwnerError: nobody would be left to manage the staff.
        ConflictError: somebody else changed the same field meanwhile.
        MissingError: the record was removed meanwhile.

    Source: R-000-14, R-000-17, R-000-18, D-1, D-5, D-6, D-7.
    """
    require(by, Permission.STAFF_WRITE)
    clean = rules.check(values, RULES)
    owners = _held(admin, by)
    apply, merged = reconcile(admin, clean, seen, FIELDS)
    for name in KEPT:
        if name in apply:
            _refuse(objection(admin, name, apply[name], by=by, owners=owners))
    if person := {own: apply[name] for name, own in OF_THE_PERSON.items() if name in apply}:
        users.update(admin.user, person, by=by)
    for name in KEPT:
        if name in apply:
            _change(admin, name, apply[name], by)
    return Saved(admin, tuple(apply), merged)


def change_role(admin: Admin, role: str, *, by: Actor) -> Admin:
    """Give a member of staff another level; their sessions end, with a lower one their tokens too.

    Raises: see `update`.

    Source: R-000-17, R-000-25, D-5, D-6, D-7.
    """
    return update(admin, {"role": role}, by=by).row


def change_status(admin: Admin, status: str, *, by: Actor) -> Admin:
    """Suspend or reinstate; who is suspended is out at once, with sessions and tokens.

    Raises: see `update`.

    Source: R-000-18, R-000-26, D-5, D-6, D-7.
    """
    return update(admin, {"status": status}, by=by).row


def delete(admin: Admin, *, by: Actor) -> None:
    """Remove the staff record; the person stays as a user, signed out everywhere.

    Raises:
        ForbiddenError: the actor may not manage staff, or no longer.
        SelfChangeError: one's own.
        LastOwnerError: nobody would be left to manage the staff.
        MissingError: it was removed meanwhile.

    Source: R-000-16, R-000-24, D-5, D-6, D-7.
    """
    require(by, Permission.STAFF_WRITE)
    owners = _held(admin, by)
    _refuse(objection(admin, "delete", None, by=by, owners=owners))
    user = admin.user
    told = removed(admin, KEPT) | {"email": [user.email, None]} | shut_out(user, tokens=True)
    record("admin.deleted", admin, told, by=by)
    db.session.delete(admin)
    _follow(user, "user", by)
    db.session.flush()
    db.session.expire(user, ["staff"])


def objection(
    admin: Admin, verb: str, value: str | None, *, by: Actor, owners: Mapping[int, UUID]
) -> RuleError | None:
    """Why the actor may not change or remove this record so; None when they may.

    Args:
        verb: "role", "status" or "delete".
        value: the level or status it would get.
        owners: the active owners, as `active_owners` gives them.

    Source: D-5, D-6.
    """
    if admin.user_id == by.id:
        acts = {"role": "changes their own level", "status": "suspends or reinstates themselves"}
        act = acts.get(verb, "removes themselves")
        alone = admin.id in owners and len(owners) == 1
        ask = "Make somebody else an owner first" if alone else "Ask another owner"
        return SelfChangeError(f"Nobody {act}. {ask}.")
    stays = (verb, value) in {("role", "owner"), ("status", "active")}
    if admin.id in owners and not stays and len(owners) == 1:
        name = admin.full_name
        return LastOwnerError(
            f"{name} is the last active owner. Make somebody else an owner first."
        )
    return None


def get_all_for_update(pks: Collection[int], *_options: ORMOption) -> Sequence[Admin]:
    """The records that exist of these, with their people, safe until the transaction ends."""
    lock_people(or_(Admin.id.in_(pks), ACTIVE_OWNER))
    wanted = select(Admin).where(Admin.id.in_(pks)).order_by(Admin.id)
    loaded = wanted.options(joinedload(Admin.user)).execution_options(populate_existing=True)
    rows = db.session.scalars(loaded).all()
    mark_locked(rows)
    return rows


def _held(admin: Admin, by: Actor) -> Mapping[int, UUID]:
    """The active owners, with the record locked.

    Raises:
        MissingError: it was removed meanwhile.
        ForbiddenError: the actor is no owner any more.
    """
    if not is_locked(admin) and not get_all_for_update([key_of(admin)]):
        raise gone(admin)
    owners = active_owners()
    require_still(by, owners.values())
    return owners


def _refuse(reason: RuleError | None) -> None:
    if reason is not None:
        raise reason


def _change(admin: Admin, name: str, value: str, by: Actor) -> None:
    """Write a new level or status, and end what the old one had opened."""
    before = admin.user.level
    changes = write(admin, {name: value})
    finish(admin, f"admin.{name}_changed", changes | _ended(admin.user, before), by=by)
    _agree(admin, by)


def _ended(user: User, before: Level) -> dict[str, list[int]]:
    """End the sessions that an old level opened, and when the new one is lower the tokens."""
    return shut_out(user, tokens=user.level < before)


def _agree(admin: Admin, by: Actor) -> None:
    """Let the person's own role say whether they are active staff (D-1)."""
    _follow(admin.user, "admin" if admin.status == "active" else "user", by)
    db.session.flush()


def _follow(user: User, role: str, by: Actor) -> None:
    if user.role != role:
        finish(user, "user.role_changed", write(user, {"role": role}), by=by)
