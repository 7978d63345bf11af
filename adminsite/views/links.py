"""Links: all of them, whoever owns them (R-001-2 to R-001-25)."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import redirect, request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import StringField, TextAreaField

from adminsite import auth, queries
from adminsite.db import db, transaction
from adminsite.errors import InvalidError, MissingError
from adminsite.kit import (
    Chip,
    DayFilter,
    Lookup,
    LookupField,
    LookupFilter,
    Person,
    ResourceView,
    TagsField,
    editing,
    responses,
)
from adminsite.kit.columns import initials
from adminsite.kit.forms import Option
from adminsite.models import Link, Tag, User
from adminsite.permissions import Permission
from adminsite.resources import LINKS

URL = "/admin/links"
NOBODY = "Choose a person from the list, or type their e-mail."


def owners(session: Session, ids: Sequence[int]) -> dict[int, list[Person]]:
    """The owners of these links for a cell, the primary one first."""
    return {
        link: [
            Person(name, email, initials(name), primary, f"{URL}?owner={key}")
            for _, key, name, email, primary in found
        ]
        for link, found in queries.links.owners_of(session, ids).items()
    }


def tags(session: Session, ids: Sequence[int]) -> dict[int, list[Chip]]:
    """The tags of these links for a cell."""
    return {
        link: [Chip(name, f"{URL}?tag={key}") for _, key, name in found]
        for link, found in queries.links.tags_of(session, ids).items()
    }


def find_people(session: Session, term: str, limit: int) -> list[Option]:
    """People for a picker."""
    found = queries.links.people_like(session, term, limit)
    return [Option(str(p.id), p.display_name, p.email) for p in found]


def find_tags(session: Session, term: str, limit: int) -> list[Option]:
    """Tags for a picker of records, by key."""
    return [Option(str(tag.id), tag.name) for tag in queries.links.tags_like(session, term, limit)]


def suggest_tags(session: Session, term: str, limit: int) -> list[Option]:
    """Tags for a field that takes names."""
    return [Option(tag.name, tag.name) for tag in queries.links.tags_like(session, term, limit)]


def describe_person(
    text: str, gone: Callable[[Session, UUID], str | None] | None = None
) -> tuple[UUID, str] | None:
    """The person with this id, or this e-mail, for a filter's chip.

    Args:
        gone: gives the last address of somebody who was deleted, by their id.
    """
    if not text.isprintable():  # neither database compares with every character
        return None
    try:
        key = UUID(text)
    except ValueError:
        key = None
    where = User.email_key == text.lower() if key is None else User.id == key
    found = db.session.execute(select(User.id, User.display_name).where(where)).one_or_none()
    if found:
        return found.id, found.display_name
    email = gone(db.session(), key) if gone and key else None
    return (key, f"{email} (deleted)") if key and email else None


def describe_tag(text: str) -> tuple[int, str] | None:
    """The tag with this id, or this name, for a filter's chip."""
    key = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004
    where = Tag.id == key if key is not None else Tag.slug == text.casefold()
    found = db.session.execute(select(Tag.id, Tag.name).where(where)).one_or_none()
    return (found.id, found.name) if found else None


class LinkView(ResourceView):
    """A short name that leads to a URL."""

    resource = LINKS
    section = "Content"
    icon = "link"
    about = "Every go link, whoever owns it. Type go/slug and land on its URL."
    column_list = ("slug", "url", "title", "owners", "tags", "created_at")
    column_details_list = (
        "slug",
        "url",
        "title",
        "description",
        "owners",
        "tags",
        "created_at",
        "updated_at",
    )
    column_export_list = ("slug", "url", "title", "description", "tags", "owners")
    column_labels = {
        "url": "URL",
        "owners": "Owners",
        "created_at": "Created",
        "updated_at": "Changed",
    }
    column_kinds = {"slug": "code", "url": "url", "owners": "owners", "tags": "tags"}
    column_searchable_list = ("slug", "url", "title", "owners.display_name")
    column_sortable_list = ("slug", "created_at", "updated_at")
    column_editable_list = ("url", "title", "description")
    list_loaders = {"owners": owners, "tags": tags}
    search_also = {"owners.display_name": queries.links.owner_named}
    filters = (
        LookupFilter(
            "owner", "Owner", "user", "people", queries.links.owned_by, describe_person, "owners"
        ),
        LookupFilter("tag", "Tag", "tag", "tag_ids", queries.links.tagged, describe_tag, "tags"),
        DayFilter("created_at", "Created", "calendar", Link.created_at),
    )
    form_overrides = {"url": StringField, "description": TextAreaField}
    form_extra_fields = {
        "tags": TagsField("Tags", description="Press Enter after each; at most 30."),
        "owners": LookupField(
            "Primary owner", lookup="people", description="Leave empty to own it yourself."
        ),
    }
    form_help = {
        "slug": "What people type after go/. Small letters, digits and hyphens; fixed once made.",
        "url": "Where it leads: http or https, with a host.",
        "title": "What a reader sees in lists. At most 200 characters.",
    }
    form_lookups = {
        "people": Lookup(find_people),
        "tag_ids": Lookup(find_tags),
        "tags": Lookup(suggest_tags),
    }
    form_panels = ("links/_owners.html",)
    route_permissions = {
        "add_owner": Permission.LINKS_WRITE,
        "remove_owner": Permission.LINKS_WRITE,
        "make_primary": Permission.LINKS_WRITE,
    }
    delete_warning = "This is permanent, and removes all its ownership and tag associations."

    def clean(self, values: dict[str, Any]) -> dict[str, Any]:
        """The primary owner as a list of one; left empty, it is whoever makes the link."""
        owner = values.pop("owners", None)
        if owner:
            found = describe_person(owner.strip())
            if found is None:
                raise InvalidError({"owners": NOBODY})
            values["owners"] = [found[0]]
        return values

    def prefill(self, form: Any, row: Link | None) -> None:  # noqa: ARG002
        """Show who was chosen as owner by name, not by key."""
        if "owners" in form and form.owners.data:
            found = describe_person(form.owners.data)
            form.owners.text = found[1] if found else form.owners.data

    def delete_facts(self, row: Link) -> list[tuple[str, str]]:
        """The slug and the URL (R-001-19)."""
        return [("Slug", row.slug), ("URL", row.url)]

    def panel_context(self, row: Link) -> dict[str, Any]:
        """The owners, below the form."""
        found = queries.links.owners_of(db.session(), [row.id]).get(row.id, [])
        return {
            "link_path": f"{URL}/{row.id}",
            "lookup_url": f"{URL}/ajax/lookup/?name=people",
            "can_write": self.can_edit,
            "owners": [
                {
                    "id": o.id,
                    "name": o.display_name,
                    "email": o.email,
                    "initials": initials(o.display_name),
                    "primary": o.is_primary,
                }
                for o in found
            ],
        }

    @expose("/<pk>/owners", methods=("POST",))
    def add_owner(self, pk: int) -> ResponseReturnValue:
        """Make a person an owner beside the others."""
        chosen = self._chosen_person()
        return self._owners_changed(pk, "add_owner", chosen, "is now an owner")

    @expose("/<pk>/owners/<uuid:user_id>/remove", methods=("POST",))
    def remove_owner(self, pk: int, user_id: UUID) -> ResponseReturnValue:
        """End a co-owner's share."""
        return self._owners_changed(pk, "remove_owner", user_id, "is no longer an owner")

    @expose("/<pk>/owners/<uuid:user_id>/primary", methods=("POST",))
    def make_primary(self, pk: int, user_id: UUID) -> ResponseReturnValue:
        """Make an owner the primary one."""
        return self._owners_changed(pk, "transfer", user_id, "is now the primary owner")

    def _chosen_person(self) -> UUID:
        found = describe_person(request.form.get("user", "").strip())
        if found is None:
            raise InvalidError({"user": NOBODY})
        return found[0]

    def _owners_changed(self, pk: int, verb: str, user_id: UUID, said: str) -> ResponseReturnValue:
        with transaction() as session:
            link = editing.locked(self, "edit", pk)
            user = session.get(User, user_id)
            if user is None:
                message = "This person does not exist any more."
                raise MissingError(message)
            getattr(self.resource.operations, verb)(link, user, by=auth.current_person())
        message = f"{user.display_name} {said}."
        if responses.is_fragment():
            panel = self.render("links/_owners.html", view=self, **self.panel_context(link))
            return responses.toast(panel, message)
        if responses.wants_json():
            return responses.accepted({"id": link.id})
        return redirect(f"{URL}/edit/?id={link.id}", 303)
