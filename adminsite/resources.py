"""Resources: a model with its operations, permissions and public fields, declared once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError

from adminsite.errors import InvalidError
from adminsite.models import (
    Admin,
    AuditEvent,
    CreditTransaction,
    Keyword,
    Link,
    Subscription,
    Tag,
    User,
)
from adminsite.operations import (
    admins,
    constraints,
    keywords,
    ledger,
    links,
    subscriptions,
    tags,
    users,
    versions,
)
from adminsite.permissions import Permission


@dataclass(frozen=True, slots=True)
class Resource:
    """What views, exchange and API need to know of a kind of record.

    A verb exists where its operation exists: `operations` defines `create`, `update` and
    `delete`, or leaves one out.

    Attributes:
        model: its table.
        operations: the module (or `Crud`) whose functions change it.
        read: who may look.
        write: who may change.
        fields: what forms, API and import may set, in the order people fill them in.
        fixed: those of `fields` that are set once, at creation.
        called: its plural in URLs and messages, where the table's name is not it.
    """

    model: type[Any]
    operations: Any
    read: Permission
    write: Permission
    fields: tuple[str, ...]
    fixed: tuple[str, ...] = ()
    called: str = ""

    @property
    def key(self) -> str:
        """Its name in URLs and messages: the table's, unless it is called something else."""
        return self.called or str(self.model.__tablename__)

    def supports(self, verb: str) -> bool:
        """Whether the operation exists."""
        return hasattr(self.operations, verb)

    def get_for_update(self, pk: object) -> Any:
        """The record, locked until the transaction ends; None when it does not exist."""
        if hasattr(self.operations, "get_all_for_update"):
            return next(iter(self.operations.get_all_for_update([pk])), None)
        return versions.get_for_update(self.model, pk)

    def get_all_for_update(self, pks: Collection[object]) -> Sequence[Any]:
        """The records that exist of these, locked in the order of their keys.

        What deleting them tells the audit is loaded along, so the number of statements does
        not grow with theirs. Operations whose rules look at other rows too say themselves what
        to lock, and in which order.
        """
        if hasattr(self.operations, "get_all_for_update"):
            return self.operations.get_all_for_update(pks)  # type: ignore[no-any-return]
        options = getattr(self.operations, "RELATIONS", ())
        return versions.get_all_for_update(self.model, pks, *options)

    def explain(self, error: IntegrityError) -> InvalidError | None:
        """The field message for a known constraint; None when it is not a known one."""
        told = constraints.explain(error)
        return InvalidError({told[0]: told[1]}) if told else None


LINKS = Resource(
    model=Link,
    operations=links,
    read=Permission.LINKS_READ,
    write=Permission.LINKS_WRITE,
    fields=("slug", "url", "title", "description", "tags", "owners"),
    fixed=("slug", "owners"),
)

KEYWORDS = Resource(
    model=Keyword,
    operations=keywords,
    read=Permission.KEYWORDS_READ,
    write=Permission.KEYWORDS_WRITE,
    fields=("keyword", "url_template", "description"),
    fixed=("keyword",),
)

USERS = Resource(
    model=User,
    operations=users,
    read=Permission.USERS_READ,
    write=Permission.USERS_WRITE,
    fields=users.FIELDS,
)

ADMINS = Resource(
    model=Admin,
    operations=admins,
    read=Permission.STAFF_READ,
    write=Permission.STAFF_WRITE,
    fields=admins.FIELDS,
)

SUBSCRIPTIONS = Resource(
    model=Subscription,
    operations=subscriptions,
    read=Permission.SUBSCRIPTIONS_READ,
    write=Permission.SUBSCRIPTIONS_WRITE,
    fields=("user_id", "tier", "status", "current_period_start", "current_period_end"),
)

CREDITS = Resource(
    model=CreditTransaction,
    operations=ledger,
    read=Permission.CREDITS_READ,
    write=Permission.CREDITS_WRITE,
    fields=("user_email", "amount", "balance_after", "type", "description", "actor_email"),
    called="credits",
)

TAGS = Resource(
    model=Tag,
    operations=tags,
    read=Permission.TAGS_READ,
    write=Permission.TAGS_WRITE,
    fields=("name",),
)

# Without operations: nothing that is on record is changed or removed, by anybody (D-20).
AUDIT = Resource(
    model=AuditEvent,
    operations=None,
    read=Permission.AUDIT_READ,
    write=Permission.AUDIT_READ,
    fields=tuple(column.name for column in AuditEvent.__table__.c if column.name != "id"),
    called="audit",
)
