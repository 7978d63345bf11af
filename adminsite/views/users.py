"""Users: everybody, members and staff, and what becomes of their links when they go."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import redirect
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.orm import Session, joinedload
from wtforms import SelectField, StringField

from adminsite import auth, queries
from adminsite.db import db, transaction, utc_now
from adminsite.errors import InvalidError, RuleError
from adminsite.kit import Chip, ChoiceFilter, DayFilter, ResourceView, editing, responses
from adminsite.kit.bulk import BulkAction
from adminsite.kit.columns import moment, number
from adminsite.kit.deleting import Choice, Question
from adminsite.kit.forms import Required
from adminsite.models import User
from adminsite.operations import sessions, subscriptions, users
from adminsite.permissions import Actor, Permission, may, refusal
from adminsite.queries.deletion import DeletionPlan, Share
from adminsite.resources import USERS
from adminsite.views import viewing
from adminsite.views.browsers import browser_name
from adminsite.views.credits.words import line
from adminsite.views.subscriptions.words import STATUSES, TIERS, card
from adminsite.views.timelines import entries

URL = "/admin/users"
ROLES = (("user", "User"), ("admin", "Admin"))
FREE = ("free", "Free")
SAMPLE = 5
LINKS_SHOWN = 10
SUBSCRIPTIONS_SHOWN = 20
ENTRIES_SHOWN = 20


def links(session: Session, ids: Sequence[UUID]) -> dict[UUID, Chip]:
    """How many links these people own, each leading to them."""
    counts = queries.people.links_owned(session, ids)
    return {key: Chip(f"{count:,}", f"/admin/links?owner={key}") for key, count in counts.items()}


def role_refusal(user: User, person: Actor) -> str | None:
    """Why that person may not change this one's role; None when they may."""
    try:
        users.check_role_change(user, by=person)
    except RuleError as reason:
        return reason.message
    return None


def role_action(role: str, label: str, icon: str) -> BulkAction:
    """Give many people a role."""
    return BulkAction(
        name=f"make_{role}",
        label=label,
        phrase=f"Make {{names}} {role}",
        icon=icon,
        verb="edit",
        apply=lambda user, by: users.update(user, {"role": role}, by=by),
        refused=role_refusal,
        settled=lambda user: bool(user.role == role),
        permission=Permission.ROLES_WRITE,
        warning="They are signed out everywhere, and sign in again with the new role.",
        done="Changed",
    )


class UserView(ResourceView):
    """A person who uses the service."""

    resource = USERS
    section = "People"
    icon = "users"
    about = "Everybody with an account, members and staff."
    column_list = (
        "email",
        "display_name",
        "role",
        "credits_balance",
        "subscription_tier",
        "links",
        "created_at",
    )
    column_labels = {
        "email": "E-mail",
        "display_name": "Name",
        "credits_balance": "Credits",
        "subscription_tier": "Subscription",
        "links": "Links",
        "created_at": "Joined",
    }
    column_kinds = {
        "email": "record",
        "role": "badge",
        "subscription_tier": "plan",
        "links": "count",
    }
    column_searchable_list = ("email", "display_name")
    column_sortable_list = ("email", "display_name", "credits_balance", "created_at")
    column_editable_list = ("display_name", "role")
    sort_columns = {"email": "email_key"}
    list_loaders = {"links": links}
    filters = (
        ChoiceFilter("role", "Role", "shield", User.role, ROLES),
        ChoiceFilter(
            "subscription_tier",
            "Plan",
            "badge-check",
            User.subscription_tier,
            (FREE, *TIERS),
            none=FREE[0],
        ),
        ChoiceFilter(
            "subscription_status", "Status", "credit-card", User.subscription_status, STATUSES
        ),
        DayFilter("created_at", "Joined", "calendar", User.created_at),
    )
    field_permissions = {"role": Permission.ROLES_WRITE}
    form_extra_fields = {
        "email": StringField("E-mail", [Required()]),
        "role": SelectField("Role", choices=list(ROLES), validate_choice=False),
    }
    form_args = {"email": {"render_kw": {"type": "email"}}}
    form_help = {"display_name": "As others see it, beside links and in lists."}
    edit_row_columns = ("email", "display_name", "role")
    create_inline = True
    counts_pages = True
    ruling_columns = ("role",)
    row_actions = "ruled_actions"
    record_template = "users/record.html"
    delete_answers = ("link_action", "plan")
    preview_options = (joinedload(User.staff),)
    bulk_actions = (
        role_action("admin", "Make admin", "shield"),
        role_action("user", "Make user", "user"),
    )
    route_permissions = {
        "change_role": Permission.ROLES_WRITE,
        "end_sessions": Permission.STAFF_WRITE,
        "cards": Permission.USERS_READ,
        "ask_view_as": Permission.USERS_VIEW_AS,
        "view_as": Permission.USERS_VIEW_AS,
    }
    missing_text = "User not found. They may have been deleted."

    def refusals(self, records: Sequence[Any], person: Actor) -> Mapping[Any, Mapping[str, str]]:
        """One's own row and those of staff are changed elsewhere, or by others."""
        staff = queries.people.staff_among(db.session(), [record.id for record in records])
        closed = {}
        if not may(person, Permission.STAFF_WRITE):
            closed = dict.fromkeys(
                ("email", "display_name"), refusal(person, Permission.STAFF_WRITE)
            )
        ruled: dict[Any, dict[str, str]] = {}
        for record in records:
            if record.id == person.id:
                ruled[record.id] = {
                    "role": "Nobody changes their own role. Ask another owner.",
                    "delete": "Nobody deletes themselves. Ask another admin.",
                }
            elif record.id in staff:
                level, status = staff[record.id]
                word = level if status == "active" else f"{level}, {status}"
                ruled[record.id] = {
                    **closed,
                    "role": f"Staff ({word}). Change their level on the Admins page.",
                    "delete": "",
                }
            elif record.role != User.ROLES[0]:
                ruled[record.id] = {**closed, "delete": ""}
        return ruled

    def objection(self, verb: str, row: Any, person: Actor) -> str | None:
        """Staff and oneself are not deleted here."""
        if verb != "delete":
            return None
        reason = users.deletion_objection(row, by=person)
        return reason.message if reason else None

    def delete_question(self, rows: Sequence[Any]) -> Question:
        """What becomes of their links: in numbers, with the first that would go."""
        plan = queries.deletion.plan(db.session(), [row.id for row in rows])
        return question(plan)

    # ---- the page of one person ------------------------------------------------------------

    def record_context(self, row: Any) -> dict[str, Any]:
        """The cards of the person's page."""
        session, person = db.session(), auth.current_person()
        staff = row.staff
        owned = queries.subscriptions.of_person(session, row.id, SUBSCRIPTIONS_SHOWN)
        context = {
            "path": f"{URL}/{row.id}",
            "profile": profile(row),
            "level": row.level.label,
            "staff": staff,
            "roles": ROLES,
            "role_refusal": self._role_refusal(row, person),
            "delete_refusal": self.objection("delete", row, person),
            "may_delete": self.can_delete,
            "may_end_sessions": may(person, Permission.STAFF_WRITE),
            "may_adjust": may(person, Permission.CREDITS_WRITE),
            "n_waiting": queries.ledger.count_waiting(session, row.id),
            "may_view_as": may(person, Permission.USERS_VIEW_AS),
            "view_as_refusal": viewing.objection(row),
            "transactions": [
                line(entry)
                for entry in queries.people.recent_transactions(session, row.id, ENTRIES_SHOWN)
            ],
            "subscription": card(owned[0]) if owned else None,
            "going_on": [card(one) for one in owned[1:] if one.status != subscriptions.ENDED],
            "may_change_subscription": may(person, Permission.SUBSCRIPTIONS_WRITE),
            "links": queries.people.own_links(session, row.id, LINKS_SHOWN),
            "n_links": queries.people.count_own_links(session, row.id),
            "sessions": open_sessions(session, row.id),
            "timeline": None,
        }
        if may(person, Permission.AUDIT_READ):
            events = queries.people.timeline(
                session, row.id, staff.id if staff else None, ENTRIES_SHOWN
            )
            context["timeline"] = entries(events)
        return context

    @expose("/<pk>/cards")
    def cards(self, pk: UUID) -> ResponseReturnValue:
        """The cards of the page, fetched again after their credits changed."""
        row = editing.record(self, pk)
        return self._drawn_cards(row) if responses.is_fragment() else redirect(f"{URL}/{pk}", 302)

    def _drawn_cards(self, row: User) -> str:
        context = self.record_context(row)
        return str(self.render("users/_cards.html", view=self, record=row, **context))

    def _role_refusal(self, row: User, person: Actor) -> str | None:
        if not may(person, Permission.ROLES_WRITE):
            return refusal(person, Permission.ROLES_WRITE)
        return role_refusal(row, person)

    @expose("/<pk>/role", methods=("POST",))
    def change_role(self, pk: UUID) -> ResponseReturnValue:
        """Change the role from the person's page, at once (R-002-51).

        Raises:
            InvalidError: no role was sent.
        """
        data = responses.submitted()
        if "role" not in data:
            raise InvalidError({"role": "Say which role: user or admin."})
        saved = editing.save(self, pk, data, ("role",))
        user = saved.row
        said = f"{user.display_name} is {user.role} now." if saved.changed else "Nothing to change."
        return self._changed(pk, said)

    @expose("/<pk>/impersonate")
    def ask_view_as(self, pk: UUID) -> ResponseReturnValue:
        """The question before one looks at the site as this person."""
        return viewing.ask(editing.record(self, pk))

    @expose("/<pk>/impersonate", methods=("POST",))
    def view_as(self, pk: UUID) -> ResponseReturnValue:
        """Look at the site as this person, read only."""
        return viewing.start(editing.record(self, pk))

    @expose("/<pk>/sessions/revoke", methods=("POST",))
    def end_sessions(self, pk: UUID) -> ResponseReturnValue:
        """Sign a person out everywhere."""
        with transaction():
            user = editing.locked(self, "edit", pk)
            count = sessions.revoke_all(user, by=auth.current_person())
        ended = "1 session" if count == 1 else f"{count} sessions"
        return self._changed(pk, f"Ended {ended} of {user.display_name}.")

    def _changed(self, pk: UUID, message: str) -> ResponseReturnValue:
        if responses.wants_json():
            return responses.accepted({"id": str(pk)})
        if not responses.is_fragment():
            return responses.done(f"{URL}/{pk}", message)
        return responses.toast(self._drawn_cards(editing.record(self, pk)), message)


# ---- in words ------------------------------------------------------------------------------


def question(plan: DeletionPlan) -> Question:
    """The dialog's words for what deleting these people would do (S1, D-16)."""
    one = plan.people[0] if len(plan.people) == 1 else None
    owed = sum(person.balance for person in plan.people)
    running = [person for person in plan.people if person.subscription]
    facts = [("E-mail", one.email), ("Name", one.name)] if one else []
    facts += [
        ("Owns alone", _links(len(plan.sole))),
        ("Primary owner with others", _links(len(plan.shared))),
        ("Co-owner", _links(len(plan.co_owned))),
        ("Credits", number(owed)),
    ]
    if one:
        facts.append(("Subscription", _running(one.subscription)))
    elif running:
        facts.append(("Running subscriptions", f"{len(running):,}"))
    return Question(
        facts=tuple(facts),
        warning=_warning(plan, owed, len(running)),
        name="link_action",
        legend="What becomes of the links?",
        choices=(_reassign(plan), _delete(plan)),
        fields={"plan": plan.digest},
    )


def _warning(plan: DeletionPlan, owed: int, running: int) -> str:
    whose = "Their sessions" if len(plan.people) > 1 else "The account, its sessions"
    parts = [f"This is permanent. {whose} and API tokens end at once."]
    if owed:
        parts.append(f"{_written_off(owed)}; the ledger keeps its entries.")
    if running:
        parts.append("A running subscription is not canceled with the payment provider.")
    return " ".join(parts)


def _written_off(owed: int) -> str:
    noun = "credit" if abs(owed) == 1 else "credits"
    if owed < 0:
        return f"A debt of {-owed:,} {noun} is written off"
    return f"{owed:,} {noun} {'is' if owed == 1 else 'are'} lost"


def _reassign(plan: DeletionPlan) -> Choice:
    primary = len(plan.sole) + len(plan.shared)
    about = f"{_links(primary)} {_become(primary)} yours." if primary else "There are none to take."
    return Choice("reassign", "Reassign links to me", about + _co_owned(plan))


def _delete(plan: DeletionPlan) -> Choice:
    gone, left = len(plan.sole), len(plan.shared)
    verb = "is" if gone == 1 else "are"
    about = f"{_links(gone)} that nobody else owns {verb} deleted." if gone else "None is deleted."
    if left:
        goes = "goes" if left == 1 else "go"
        about += f" {_links(left)} {goes} to the longest-standing co-owner."
    sample = tuple(share.slug for share in _first(plan.sole))
    more = max(gone - len(sample), 0)
    return Choice("delete", "Delete all links", about + _co_owned(plan), sample, more)


def _co_owned(plan: DeletionPlan) -> str:
    count = len(plan.co_owned)
    return f" {_links(count)} only co-owned {_stay(count)} with the primary owner." if count else ""


def _first(shares: list[Share]) -> list[Share]:
    return sorted(shares, key=lambda share: share.slug)[:SAMPLE]


def _links(count: int) -> str:
    return "1 link" if count == 1 else f"{count:,} links"


def _become(count: int) -> str:
    return "becomes" if count == 1 else "become"


def _stay(count: int) -> str:
    return "stays" if count == 1 else "stay"


def _running(told: tuple[str | None, str] | None) -> str:
    return f"{told[0] or 'unknown plan'}, {told[1].replace('_', ' ')}" if told else "None"


def profile(user: User) -> list[tuple[str, str]]:
    """What is known of a person, by label."""
    joined = moment(user.created_at)
    return [
        ("User id", str(user.id)),
        ("Stripe customer", user.stripe_customer_id or "Not connected"),
        ("Joined", joined.text if joined else ""),
    ]


def open_sessions(session: Session, user_id: UUID) -> list[dict[str, Any]]:
    """Where a person is signed in."""
    return [
        {
            "browser": browser_name(row.user_agent) or "Unknown browser",
            "ip": row.ip,
            "seen": moment(row.last_seen_at),
        }
        for row in queries.people.own_sessions(session, user_id, utc_now())
    ]
