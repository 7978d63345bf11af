"""Who may do what: one table, readable without knowing Python.

Source: D-1 to D-4.
"""

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from uuid import UUID

from adminsite.errors import ForbiddenError, LevelError


class Level(IntEnum):
    """How far a person may go; each level includes those below it (D-2)."""

    NONE = 0
    SUPPORT = 1
    ADMIN = 2
    OWNER = 3

    @property
    def label(self) -> str:
        """The word for it: "support", "admin", "owner", or "none"."""
        return self.name.lower()


class Permission(StrEnum):
    """One thing that may be allowed."""

    PANEL_READ = "panel:read"
    LINKS_READ = "links:read"
    LINKS_WRITE = "links:write"
    KEYWORDS_READ = "keywords:read"
    KEYWORDS_WRITE = "keywords:write"
    TAGS_READ = "tags:read"
    TAGS_WRITE = "tags:write"
    USERS_READ = "users:read"
    USERS_WRITE = "users:write"
    ROLES_WRITE = "roles:write"
    STAFF_READ = "staff:read"
    STAFF_WRITE = "staff:write"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    CREDITS_READ = "credits:read"
    CREDITS_WRITE = "credits:write"
    USERS_VIEW_AS = "users:view_as"
    AUDIT_READ = "audit:read"
    DATA_IMPORT = "data:import"
    DATA_EXPORT = "data:export"


# S1 and S2 let any admin promote a user, S0 lets only owners manage admins: the stricter
# wins (D-4). A deployment that wants it otherwise changes this one line.
WHO_CHANGES_ROLES = Level.OWNER

GRANTS: dict[Permission, Level] = {
    Permission.PANEL_READ: Level.SUPPORT,
    Permission.LINKS_READ: Level.SUPPORT,
    Permission.LINKS_WRITE: Level.ADMIN,
    Permission.KEYWORDS_READ: Level.SUPPORT,
    Permission.KEYWORDS_WRITE: Level.ADMIN,
    Permission.TAGS_READ: Level.SUPPORT,
    Permission.TAGS_WRITE: Level.ADMIN,
    Permission.USERS_READ: Level.SUPPORT,
    Permission.USERS_WRITE: Level.ADMIN,
    Permission.ROLES_WRITE: WHO_CHANGES_ROLES,
    Permission.STAFF_READ: Level.OWNER,
    Permission.STAFF_WRITE: Level.OWNER,
    Permission.SUBSCRIPTIONS_READ: Level.SUPPORT,
    Permission.SUBSCRIPTIONS_WRITE: Level.ADMIN,
    Permission.CREDITS_READ: Level.SUPPORT,
    Permission.CREDITS_WRITE: Level.ADMIN,
    Permission.USERS_VIEW_AS: Level.ADMIN,
    Permission.AUDIT_READ: Level.ADMIN,
    Permission.DATA_IMPORT: Level.ADMIN,
    Permission.DATA_EXPORT: Level.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the audit."""

    request_id: str | None = None
    ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or the system) in whose name something is done.

    Attributes:
        behind: the member of staff who looks at the site as this person; None when they are
            themselves. Nothing can be changed then.
    """

    id: UUID | None
    email: str
    name: str
    level: Level
    origin: Origin = Origin()
    behind: "Actor | None" = None

    def seen_from(self, origin: Origin) -> "Actor":
        """The same person, acting from there."""
        return replace(self, origin=origin)


SYSTEM = Actor(id=None, email="system", name="System", level=Level.OWNER)


def level_of(role: str, staff_role: str | None, staff_status: str | None) -> Level:
    """How far somebody may go: by the staff record, or without one by the person's role (D-1).

    Args:
        role: the person's.
        staff_role: the staff record's; None without a record.
        staff_status: the staff record's.
    """
    if staff_role is None:
        return Level.ADMIN if role == "admin" else Level.NONE
    return Level[staff_role.upper()] if staff_status == "active" else Level.NONE


def may(person: Actor, permission: Permission) -> bool:
    """Whether the person's level reaches what the permission asks for."""
    return person.behind is None and person.level >= GRANTS[permission]


def refusal(person: Actor, permission: Permission) -> str:
    """Why not, in a sentence for the person who was refused."""
    if person.behind is not None:
        return f"You are viewing the site as {person.email}, read only. Stop viewing first."
    needed = GRANTS[permission].label
    article = "an" if needed[0] in "aeiou" else "a"
    if person.level is Level.NONE:
        return "This page is for staff. Your account is not a staff account."
    return f"This needs {article} {needed}; you are signed in as {person.level.label}."


def require_oneself(person: Actor) -> None:
    """Refuse whoever views the site as somebody else: nothing is done in another's name.

    Raises:
        ForbiddenError: naming whom they view as.
    """
    if person.behind is not None:
        raise ForbiddenError(refusal(person, Permission.PANEL_READ))


def require(person: Actor, permission: Permission) -> None:
    """Refuse unless the person may.

    Raises:
        LevelError: with the level that would be needed.
    """
    if not may(person, permission):
        owner_needed = GRANTS[permission] is Level.OWNER
        raise LevelError(refusal(person, permission), owner_needed=owner_needed)
