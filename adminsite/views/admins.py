"""Admins: who may use the panel, and how far; owners only (S0)."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import g
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy.orm import joinedload
from wtforms import SelectField, StringField

from adminsite import auth
from adminsite.db import transaction
from adminsite.invitations import Invitation, deliver
from adminsite.kit import ChoiceFilter, ResourceView, editing, pages, responses
from adminsite.kit.deleting import Once
from adminsite.kit.forms import Required, ResourceForm
from adminsite.models import Admin, User
from adminsite.operations import admins, credentials
from adminsite.operations.owners import active_owners
from adminsite.permissions import Actor, Permission
from adminsite.resources import ADMINS

URL = "/admin/admins"
LEVELS = tuple((role, role.capitalize()) for role in Admin.ROLES)
STATUSES = tuple((status, status.capitalize()) for status in Admin.STATUSES)
RULED = ("role", "status", "delete")


class AdminView(ResourceView):
    """A member of staff."""

    resource = ADMINS
    section = "People"
    icon = "user-cog"
    about = "Who may use this panel. Support reads, admins edit, owners manage the staff."
    column_list = ("id", "email", "full_name", "role", "status", "last_login_at", "created_at")
    column_details_list = ("email", "full_name", "role", "status", "last_login_at", "created_at")
    column_export_list = column_list
    column_labels = {
        "id": "Id",
        "email": "E-mail",
        "full_name": "Name",
        "role": "Level",
        "last_login_at": "Last sign-in",
        "created_at": "Since",
    }
    column_kinds = {"role": "select", "status": "switch", "email": "record", "id": "key"}
    column_choices = {"role": LEVELS, "status": STATUSES}
    column_asks = {
        "role": "Change the level of {label}? They are signed out everywhere; with a lower level "
        "their API tokens end too.",
        "status": "Suspend {label}? They are signed out everywhere and their API tokens end.",
    }
    list_joins = (User,)
    list_columns = {
        "email": User.__table__.c.email,
        "full_name": User.__table__.c.display_name,
        "email_key": User.__table__.c.email_key,
    }
    search_column = User.__table__.c.search_text
    label_column = "full_name"
    column_searchable_list = ("email", "full_name")
    column_sortable_list = ("email", "created_at")
    sort_columns = {"email": "email_key"}
    column_editable_list = ("full_name", "role", "status")
    filters = (
        ChoiceFilter("role", "Level", "shield", Admin.role, LEVELS),
        ChoiceFilter("status", "Status", "circle-check", Admin.status, STATUSES),
    )
    form_extra_fields = {
        "email": StringField(
            "E-mail",
            [Required()],
            description="Somebody with this address becomes staff; else the person is added.",
            render_kw={"type": "email"},
        ),
        "full_name": StringField(
            "Name", description="For somebody new; a person who is here already keeps theirs."
        ),
        "role": SelectField("Level", choices=list(LEVELS), validate_choice=False),
        "status": SelectField("Status", choices=list(STATUSES), validate_choice=False),
    }
    edit_row_columns = ("email", "full_name", "role", "status")
    create_inline = True
    rules_span_rows = True
    row_actions = "admin_actions"
    preview_options = (joinedload(Admin.user),)
    route_permissions = {"ask_reset": Permission.STAFF_WRITE, "reset": Permission.STAFF_WRITE}
    missing_text = "This member of staff does not exist any more."
    delete_warning = (
        "They are signed out everywhere and their API tokens end. "
        "The person stays as a user, with their links and history."
    )

    @property
    def create_fields(self) -> tuple[str, ...]:
        """Who is made staff is active."""
        return ("email", "full_name", "role")

    @property
    def edit_fields(self) -> tuple[str, ...]:
        """Everything that is shown of a member of staff, but for the times."""
        return ADMINS.fields

    @property
    def drawn_names(self) -> tuple[str, ...]:
        """What the rows are drawn from, and whose they are."""
        return (*super().drawn_names, "user_id")

    def refusals(self, records: Sequence[Any], person: Actor) -> Mapping[Any, Mapping[str, str]]:
        """One's own record and the last active owner's keep their level and status (D-5, D-6)."""
        owners = active_owners()
        ruled: dict[Any, dict[str, str]] = {}
        for record in records:
            for verb in RULED:
                reason = admins.objection(record, verb, None, by=person, owners=owners)
                if reason:
                    ruled.setdefault(record.id, {})[verb] = reason.message
        return ruled

    def objection(self, verb: str, row: Any, person: Actor) -> str | None:
        """What the operation says of removing this record."""
        return self.objections(verb, [row], person).get(row.id)

    def objections(self, verb: str, rows: Sequence[Any], person: Actor) -> Mapping[Any, str]:
        """The same of many, with the owners read once."""
        owners = active_owners()
        said = {row.id: admins.objection(row, verb, None, by=person, owners=owners) for row in rows}
        return {key: reason.message for key, reason in said.items() if reason}

    def prefill(self, form: ResourceForm, row: Any) -> None:
        """Say of somebody who is staff already only what is true of them."""
        for name in ("email", "full_name"):
            if row is not None and name in form:
                form[name].description = ""

    def delete_facts(self, row: Any) -> list[tuple[str, str]]:
        """Whom it is about."""
        return [("E-mail", row.email), ("Name", row.full_name), ("Level", row.role)]

    # ---- the one-time link -----------------------------------------------------------------

    def make(self, values: dict[str, Any], person: Actor) -> Any:
        """Make somebody staff, with a link to set their password."""
        admin = admins.create(values, by=person)
        g.reset_token = credentials.issue_reset(admin.user, by=person)
        return admin

    def shown_once(self, row: Any) -> Once | None:
        """The link that was issued when the record was made."""
        return once(deliver(row.user, g.pop("reset_token")), row)

    @expose("/<pk>/reset")
    def ask_reset(self, pk: int) -> ResponseReturnValue:
        """The question before a new link is issued."""
        admin = editing.record(self, pk)
        template = "admins/_reset.html" if responses.is_fragment() else "admins/reset.html"
        return self.render(
            template,
            view=self,
            admin=admin,
            path=f"{URL}/{admin.id}",
            own=admin.user_id == auth.current_person().id,
            page_title=f"Reset the password of {admin.full_name}?",
            breadcrumb=[(self.name, URL), (admin.full_name, None)],
        )

    @expose("/<pk>/reset", methods=("POST",))
    def reset(self, pk: int) -> ResponseReturnValue:
        """Issue a one-time link and show it, once (D-22)."""
        with transaction():
            admin = editing.locked(self, "edit", pk)
            token = credentials.issue_reset(admin.user, by=auth.current_person())
        shown = once(deliver(admin.user, token), admin)
        if responses.wants_json():
            return responses.accepted({shown.name: shown.value})
        if responses.is_fragment():
            return self.render("model/_once.html", once=shown)
        return pages.once(self, shown)


def once(invitation: Invitation, admin: Admin) -> Once:
    """The link with what to do with it."""
    how = (
        f"It was e-mailed to {admin.email}; you can also hand it over yourself."
        if invitation.mailed
        else f"Hand it over to {admin.full_name} yourself: no e-mail was sent."
    )
    return Once(
        name="set_password_url",
        title=f"A link for {admin.full_name} to set a password",
        value=invitation.url,
        about=f"{how} It works once, within an hour, and is not shown again.",
    )
