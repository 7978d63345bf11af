"""Tags: words that group links; also the shortest example of a whole resource."""

from typing import Any

from adminsite import queries
from adminsite.db import db
from adminsite.kit import ResourceView
from adminsite.resources import TAGS


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
    list_loaders = {"links": queries.link_counts}
    delete_warning = "The links stay; they lose this tag."

    def delete_facts(self, row: Any) -> list[tuple[str, str]]:
        """The name, and how many links lose it."""
        count = queries.link_counts(db.session(), [row.id])[row.id]
        return [("Tag", row.name), ("Links that carry it", f"{count:,}")]
