"""Tags: words that group links; also the shortest example of a whole resource."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from adminsite import queries
from adminsite.db import db
from adminsite.kit import Chip, ResourceView
from adminsite.resources import TAGS


def uses(session: Session, ids: Sequence[int]) -> dict[int, Chip]:
    """How many links carry each tag, leading to them."""
    counts = queries.links.link_counts(session, ids)
    return {tag: Chip(f"{n:,}", f"/admin/links?tag={tag}") for tag, n in counts.items()}


class TagView(ResourceView):
    """A word that groups links."""

    resource = TAGS
    icon = "tag"
    about = "Words that group links. Renaming one renames it on every link that carries it."
    create_inline = True
    column_list = ("name", "links", "created_at")
    column_labels = {"created_at": "Created"}
    column_kinds = {"links": "count"}
    column_searchable_list = ("name",)
    column_sortable_list = ("name", "created_at")
    column_default_sort = "name"
    column_editable_list = ("name",)
    list_loaders = {"links": uses}
    delete_warning = "The links stay; they lose this tag."

    def delete_facts(self, row: Any) -> list[tuple[str, str]]:
        """The name, and how many links lose it."""
        count = queries.links.link_counts(db.session(), [row.id])[row.id]
        return [("Tag", row.name), ("Links that carry it", f"{count:,}")]
