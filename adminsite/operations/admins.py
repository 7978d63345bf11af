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
OWNER = {"role": "owner", "status": "active"}


def make_owner(email: str, name: str, password: str | None, *, by: Actor) -> Admin:
    """Make somebody an active owner, adding the person when nobody has that address.

    Args:
        name: for a new person; one who exists keeps theirs.
        password: None leaves the stored one as it is.

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
        user = users.create({**clean, "role": "admin"}, by=by)
    else:
        lock(user)
    if password is not None:
        _set_password(user, password, by)
    return _promote(user, by)


def find(email: str) -> User | None:
    """The person with that address, however it is capitalised."""
    return db.session.scalar(select(User).where(User.email_key == email.strip().lower()))


def _promote(user: User, by: Actor) -> Admin:
    """Write the staff record and the person's role, so that they agree (D-1)."""
    staff = user.staff
    if staff is None:
        staff = user.staff = Admin(**OWNER)
        record("admin.created", staff, created(staff, FIELDS), by=by)
    else:
        lock(staff)
        changes = write(staff, {k: v for k, v in OWNER.items() if getattr(staff, k) != v})
        for name, change in changes.items():
            finish(staff, f"admin.{name}_changed", {name: change}, by=by)
    if user.role != "admin":
        finish(user, "user.role_changed", write(user, {"role": "admin"}), by=by)
    db.session.flush()
    return staff


def _check_password(password: str, email: str, name: str) -> None:
    if sentence := objection(password, email=email, name=name):
        raise InvalidError({"password": sentence})


def _set_password(user: User, password: str, by: Actor) -> None:
    """Store the password and end the sessions that the old one opened."""
    user.password_hash = hash_password(password)
    db.session.execute(delete(UserSession).where(UserSession.user_id == user.id))
    finish(user, "password.changed", {}, by=by)
