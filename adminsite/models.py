"""All tables: columns, named constraints and pure properties; no rules beyond them.

Source: requirements section 2.
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    Uuid,
    event,
    false,
    text,
)
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from adminsite.db import Base, UtcDateTime, folded, utc_now
from adminsite.permissions import Level, level_of

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only
SEARCH_SEPARATOR = "\x1f"  # no field may hold it, so no search runs across two fields


def one_of(column: str, values: tuple[str, ...]) -> str:
    """The text of a CHECK that a column holds one of these words."""
    return f"{column} IN ({', '.join(repr(v) for v in values)})"


# Without it SQLite gives the key of a deleted row to the next one, and a form that is still
# open would save onto another record.
NEVER_REUSED = {"sqlite_autoincrement": True}


class Searchable:
    """A table whose columns in `__searchable__` are found by lower-cased substring.

    `search_text` is written whenever a row is saved, so SQLite and PostgreSQL find the same
    rows in any script (D-24).
    """

    __searchable__: ClassVar[tuple[str, ...]] = ()

    search_text: Mapped[str] = mapped_column(Text, default="", deferred=True)

    def fill_search_text(self) -> None:
        """Write `search_text` anew from the columns it stands for."""
        parts = (folded(getattr(self, name) or "") for name in self.__searchable__)
        self.search_text = SEARCH_SEPARATOR.join(parts)


@event.listens_for(Searchable, "before_insert", propagate=True)
@event.listens_for(Searchable, "before_update", propagate=True)
def _keep_search_text(_mapper: Mapper[Any], _connection: object, row: Searchable) -> None:
    row.fill_search_text()


class Dated:
    """When a row was made and last changed, in UTC."""

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now, onupdate=utc_now)


class User(Searchable, Dated, Base):
    """A person: member or staff (D-1)."""

    __tablename__ = "users"
    __searchable__ = ("email", "display_name")
    ROLES = ("user", "admin")
    TIERS = ("starter", "hobby", "pro", "business")
    STATUSES = ("active", "trialing", "past_due", "canceled", "unpaid", "incomplete")

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    display_name: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(20), default="user", server_default="user", index=True)
    password_hash: Mapped[str | None] = mapped_column(String(255), deferred=True)
    stripe_customer_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    credits_balance: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    subscription_status: Mapped[str | None] = mapped_column(String(20))
    subscription_tier: Mapped[str | None] = mapped_column(String(20))
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    staff: Mapped["Admin | None"] = relationship(back_populates="user", uselist=False)

    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), name="role"),
        CheckConstraint(one_of("subscription_status", STATUSES), name="subscription_status"),
        CheckConstraint(one_of("subscription_tier", TIERS), name="subscription_tier"),
        Index("ix_users_created_at_id", "created_at", "id"),
        Index("ix_users_display_name_id", "display_name", "id"),
        Index("ix_users_credits_balance_id", "credits_balance", "id"),
        Index("ix_users_subscription_status_id", "subscription_status", "id"),
        Index("ix_users_subscription_tier_id", "subscription_tier", "id"),
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form

    @property
    def level(self) -> Level:
        """How far the person may go now (D-1)."""
        if self.staff is None:
            return level_of(self.role, None, None)
        return level_of(self.role, self.staff.role, self.staff.status)

    @property
    def is_staff(self) -> bool:
        """Whether the person has a staff record, or the role that makes staff (D-1, D-17)."""
        return self.staff is not None or self.role != self.ROLES[0]

    def __str__(self) -> str:
        return self.display_name


@event.listens_for(User, "before_insert")
@event.listens_for(User, "before_update")
def _keep_email_key(_mapper: Mapper[Any], _connection: object, user: User) -> None:
    user.email_key = user.email.lower()


class Admin(Dated, Base):
    """The staff record of a person."""

    __tablename__ = "admins"
    ROLES = ("support", "admin", "owner")
    STATUSES = ("active", "suspended")

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), default="active", server_default="active")
    last_login_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    user: Mapped[User] = relationship(back_populates="staff")

    __table_args__ = (
        CheckConstraint(one_of("role", ROLES), name="role"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        Index("ix_admins_created_at_id", "created_at", "id"),
        NEVER_REUSED,
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    @property
    def email(self) -> str:
        """The person's address; it is kept with the person (D-1)."""
        return self.user.email

    @property
    def full_name(self) -> str:
        """The person's name; it is kept with the person (D-1)."""
        return self.user.display_name

    @property
    def is_active_owner(self) -> bool:
        """Whether this record keeps the panel in hand (D-6)."""
        return self.role == "owner" and self.status == "active"

    def __str__(self) -> str:
        return f"{self.user.display_name} ({self.role})"


class LinkOwner(Base):
    """One person's share in a link; one row of each link is the primary one."""

    __tablename__ = "link_owners"

    link_id: Mapped[int] = mapped_column(
        ForeignKey("links.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    is_primary: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    user: Mapped[User] = relationship()

    __table_args__ = (
        Index("ix_link_owners_user_id_link_id", "user_id", "link_id"),
        Index(
            "uq_link_owners_one_primary",
            "link_id",
            unique=True,
            sqlite_where=text("is_primary = 1"),
            postgresql_where=text("is_primary"),
        ),
    )


class LinkTag(Base):
    """One tag on one link."""

    __tablename__ = "link_tags"

    link_id: Mapped[int] = mapped_column(
        ForeignKey("links.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index("ix_link_tags_tag_id_link_id", "tag_id", "link_id"),)


class Link(Searchable, Dated, Base):
    """A short name that leads to a URL."""

    __tablename__ = "links"
    __searchable__ = ("slug", "url", "title")

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    url: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    owners: Mapped[list[LinkOwner]] = relationship(
        order_by=(LinkOwner.is_primary.desc(), LinkOwner.created_at, LinkOwner.user_id),
        cascade="all, delete-orphan",
        passive_deletes=True,
    )
    tags: Mapped[list["Tag"]] = relationship(
        secondary="link_tags", order_by="Tag.name", passive_deletes=True
    )

    __table_args__ = (
        Index("ix_links_created_at_id", "created_at", "id"),
        Index("ix_links_updated_at_id", "updated_at", "id"),
        NEVER_REUSED,
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    def __str__(self) -> str:
        return self.slug


class Tag(Searchable, Base):
    """A word that groups links; `slug` is the name case-folded, so C and c are one tag (D-23)."""

    __tablename__ = "tags"
    __searchable__ = ("name",)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    slug: Mapped[str] = mapped_column(String(300), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    __table_args__ = (Index("ix_tags_name_id", "name", "id"), NEVER_REUSED)
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    def __str__(self) -> str:
        return self.name


class Keyword(Searchable, Dated, Base):
    """One word that expands a URL template."""

    __tablename__ = "keywords"
    __searchable__ = ("keyword", "url_template", "description")

    id: Mapped[int] = mapped_column(primary_key=True)
    keyword: Mapped[str] = mapped_column(String(64), unique=True)
    url_template: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    __table_args__ = (
        Index("ix_keywords_created_at_id", "created_at", "id"),
        CheckConstraint("url_template LIKE '%{slug}%'", name="url_template"),
        NEVER_REUSED,
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012

    def __str__(self) -> str:
        return self.keyword


class UserSession(Base):
    """One signed-in browser; only the hash of its token is kept."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(400))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    # whom the person looks at the site as, and until when; no foreign key: who is gone ends it
    viewing_as_id: Mapped[UUID | None] = mapped_column(Uuid)
    viewing_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (NEVER_REUSED,)

    user: Mapped[User] = relationship()


class ApiToken(Base):
    """A key for scripts; only its hash is kept, shown once when made."""

    __tablename__ = "api_tokens"
    SCOPES = ("read", "write")

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[str] = mapped_column(String(20), default="write")
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    __table_args__ = (CheckConstraint(one_of("scopes", SCOPES), name="scopes"), NEVER_REUSED)


class PasswordReset(Base):
    """A one-time link to set a password; only the hash of its token is kept (D-22)."""

    __tablename__ = "password_resets"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    issued_by: Mapped[UUID | None] = mapped_column(Uuid, index=True)  # ends with their level
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    __table_args__ = (NEVER_REUSED,)

    user: Mapped[User] = relationship()


class Subscription(Dated, Base):
    """One subscription of a person; the newest row counts (D-25)."""

    __tablename__ = "subscriptions"

    id: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(20))
    tier: Mapped[str | None] = mapped_column(String(20))
    price_id: Mapped[str | None] = mapped_column(String(255))
    current_period_start: Mapped[datetime | None] = mapped_column(UtcDateTime)
    current_period_end: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_at_period_end: Mapped[bool] = mapped_column(default=False, server_default=false())
    canceled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    user: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint(one_of("status", User.STATUSES), name="status"),
        CheckConstraint(one_of("tier", User.TIERS), name="tier"),
        Index("ix_subscriptions_user_id_created_at", "user_id", "created_at"),
        Index("ix_subscriptions_status_tier", "status", "tier"),
        Index("ix_subscriptions_began", "created_at", "status", "tier", "canceled_at"),
        Index("ix_subscriptions_ended", "canceled_at", "status", "tier", "created_at"),
        Index("ix_subscriptions_created_at_id", "created_at", "id"),
    )

    @property
    def email(self) -> str:
        """The person's address."""
        return self.user.email

    def __str__(self) -> str:
        return self.id


class CreditTransaction(Base):
    """One entry of the credits ledger; never changed once written."""

    __tablename__ = "credit_transactions"
    TYPES = (
        "purchase",
        "subscription",
        "usage",
        "refund",
        "bonus",
        "admin_adjustment",
        "expiration",
        "clawback",
        "reversal",
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    user_email: Mapped[str] = mapped_column(String(254))
    amount: Mapped[int] = mapped_column(Integer)
    balance_after: Mapped[int] = mapped_column(Integer)
    type: Mapped[str] = mapped_column(String(20))
    reference_id: Mapped[str | None] = mapped_column(String(255))
    idempotency_key: Mapped[str | None] = mapped_column(String(300), unique=True)
    description: Mapped[str | None] = mapped_column(Text)
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_email: Mapped[str | None] = mapped_column(String(254))
    approved_by: Mapped[str | None] = mapped_column(String(254))  # the second person's address
    reverses_id: Mapped[int | None] = mapped_column(BigId)  # no entry ever goes: no foreign key
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint(one_of("type", TYPES), name="type"),
        Index("ix_credit_transactions_user_id_id", "user_id", "id"),
        Index("ix_credit_transactions_created_at_id", "created_at", "id"),
        Index("ix_credit_transactions_type_id", "type", "id"),
        Index("ix_credit_transactions_actor_id_id", "actor_id", "id"),
        Index("uq_credit_transactions_reverses_id", "reverses_id", unique=True),  # once only
    )

    def __str__(self) -> str:
        return f"{self.amount:+,} for {self.user_email}"


class PendingAdjustment(Base):
    """A change of credits that waits for a second person (S2; contract, `ADJUST_LIMIT`)."""

    __tablename__ = "pending_adjustments"
    STATUSES = ("pending", "approved", "declined")

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    amount: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(500))
    reverses_id: Mapped[int | None] = mapped_column(BigId)
    idempotency_key: Mapped[str | None] = mapped_column(String(300), unique=True)
    status: Mapped[str] = mapped_column(String(20), default="pending", server_default="pending")
    requested_by: Mapped[UUID | None] = mapped_column(Uuid)
    requested_email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    decided_by: Mapped[UUID | None] = mapped_column(Uuid)
    decided_email: Mapped[str | None] = mapped_column(String(254))
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[str | None] = mapped_column(String(500))
    transaction_id: Mapped[int | None] = mapped_column(BigId)

    user: Mapped[User] = relationship()

    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint(one_of("status", STATUSES), name="status"),
        Index("ix_pending_adjustments_user_id_id", "user_id", "id"),
        Index("ix_pending_adjustments_status_id", "status", "id"),
        NEVER_REUSED,
    )


class IdempotencyKey(Base):
    """What a caller's key was used for, so that a request sent twice is done once."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String(300), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class CreditDay(Base):
    """What the ledger's entries of one UTC day and type add up to.

    The database keeps it by a trigger, whoever writes the entries, so that the overview adds up
    days instead of a million entries.
    """

    __tablename__ = "credit_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    type: Mapped[str] = mapped_column(String(20), primary_key=True)
    added: Mapped[int] = mapped_column(BigInteger)  # the sum of what is above zero
    taken: Mapped[int] = mapped_column(BigInteger)  # of what is below, without its sign
    entries: Mapped[int] = mapped_column(BigInteger)


class AuditEvent(Base):
    """Who did what to which record, with before and after; append-only (D-20)."""

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_email: Mapped[str | None] = mapped_column(String(254))
    actor_level: Mapped[str | None] = mapped_column(String(20))
    viewing_as_id: Mapped[UUID | None] = mapped_column(Uuid)
    viewing_as_email: Mapped[str | None] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(60))
    subject_type: Mapped[str | None] = mapped_column(String(40))
    subject_id: Mapped[str | None] = mapped_column(String(255))
    subject_label: Mapped[str | None] = mapped_column(String(300))
    subject_version: Mapped[int | None] = mapped_column(Integer)
    changes: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(String(64))
    ip: Mapped[str | None] = mapped_column(String(45))
    user_agent: Mapped[str | None] = mapped_column(String(400))
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_events_subject_type_subject_id_id", "subject_type", "subject_id", "id"),
        # The list is in the order of time, whatever it is filtered by.
        Index("ix_audit_events_at_id", "at", "id"),
        Index("ix_audit_events_action_at_id", "action", "at", "id"),
        Index("ix_audit_events_actor_id_at_id", "actor_id", "at", "id"),
        Index("ix_audit_events_subject_type_at_id", "subject_type", "at", "id"),
        Index("ix_audit_events_request_id_at_id", "request_id", "at", "id"),
    )

    def __str__(self) -> str:
        return f"Event {self.id}"


class AuditHead(Base):
    """The end of the audit's chain: one row, so a cut-off end is noticed and writers queue."""

    __tablename__ = "audit_heads"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event_id: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))

    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
