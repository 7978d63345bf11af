"""Admins: the staff record of a person, and what it may become.

Source: D-1, D-6, D-7.
"""

from sqlalchemy import delete, select

from adminsite.audit import created, record
from adminsite.db import db
from adminsite.errors import InvalidError
from adminsite.models import Admin, User, UserSession
from adminsite.operations import rules, users
from adminsite.operations.versions import finish, lock, write
from adminsite.passwords import hash_password, objection
from adminsite.permissions import Actor, Permission, require

FIELDS = ("role", "status")


def create(user: User, role: str, *, by: Actor) -> Admin:
    """Make a person staff; their own role follows, so that both agree.

    Raises:
        ForbiddenError: the actor may not manage staff.
        InvalidError: there is no such level, or the person is staff already.

    Source: D-1, R-000-15, R-000-59.
    """
    require(by, Permission.STAFF_WRITE)
    lock(user)
    if role not in Admin.ROLES:
        raise InvalidError({"role": f"The level is one of {', '.join(Admin.ROLES)}."})
    if user.staff is not None:
        raise InvalidError({"email": f"{user.display_name} is staff already."})
    user.staff = Admin(role=role, status="active")
    record("admin.created", user.staff, created(user.staff, FIELDS), by=by)
    _agree(user, by)
    return user.staff


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
        _check_password(password, clean["email"], user.display_name if user else name)
    if user is None:
        user = users.create(clean, by=by)
    lock(user)
    if password is not None:
        set_password(user, password, by=by)
    return _promote(user.staff, by) if user.staff else create(user, "owner", by=by)


def find(email: str) -> User | None:
    """The person with that address, however it is capitalised."""
    return db.session.scalar(select(User).where(User.email_key == email.strip().lower()))


def set_password(user: User, password: str, *, by: Actor) -> None:
    """Store a password that was found good, and end the sessions that the old one opened.

    Source: D-22.
    """
    user.password_hash = hash_password(password)
    db.session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    finish(user, "password.changed", {}, by=by)


def _promote(staff: Admin, by: Actor) -> Admin:
    lock(staff)
    wanted = {"role": "owner", "status": "active"}
    for name, value in wanted.items():
        if getattr(staff, name) != value:
            finish(staff, f"admin.{name}_changed", write(staff, {name: value}), by=by)
    _agree(staff.user, by)
    return staff


def _agree(user: User, by: Actor) -> None:
    """Give an active member of staff the role that says so (D-1)."""
    if user.role != "admin":
        finish(user, "user.role_changed", write(user, {"role": "admin"}), by=by)
    db.session.flush()


def _check_password(password: str, email: str, name: str) -> None:
    if sentence := objection(password, email=email, name=name):
        raise InvalidError({"password": sentence})
