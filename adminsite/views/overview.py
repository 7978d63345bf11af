"""The panel's first page: what there is, and what changed last."""

from flask import url_for
from flask.typing import ResponseReturnValue
from flask_admin import expose

from adminsite import auth, queries
from adminsite.db import db
from adminsite.kit.columns import moment
from adminsite.kit.panel import IndexView
from adminsite.permissions import Permission, may

RECENT = 8
FIGURES = (("links", "Links", "link"), ("keywords", "Keywords", "hash"), ("tags", "Tags", "tag"))


class Overview(IndexView):
    """Figures that lead to their lists, and the links changed last."""

    permission = Permission.PANEL_READ
    icon = "layout-dashboard"

    @expose("/")
    def index(self) -> ResponseReturnValue:
        """The overview."""
        session = db.session()
        totals = queries.overview.totals(session)
        figures = [
            {"label": label, "value": f"{totals[key]:,}", "url": f"/admin/{key}", "icon": icon}
            for key, label, icon in FIGURES
        ]
        recent = [
            {
                "label": link.slug,
                "about": link.title or link.url,
                "url": f"/admin/links/details/?id={link.id}",
                "at": moment(link.updated_at),
            }
            for link in queries.overview.recently_changed(session, RECENT)
        ]
        return self.render(
            "overview/index.html",
            figures=figures,
            recent=recent,
            actions=self._quick_actions(),
            page_title="Overview",
            breadcrumb=[("Overview", None)],
        )

    def _quick_actions(self) -> list[dict[str, str]]:
        person = auth.current_person()
        offers = (
            (
                Permission.LINKS_WRITE,
                "New link",
                "Give a long address a short name.",
                url_for("links.create_view"),
                "plus",
            ),
            (
                Permission.LINKS_READ,
                "Find a link",
                "By slug, URL, title or owner.",
                url_for("links.index_view"),
                "search",
            ),
            (
                Permission.DATA_IMPORT,
                "Import",
                "Links, keywords or users from a CSV file.",
                "/admin/import",
                "upload",
            ),
        )
        return [
            {"label": label, "about": about, "url": url, "icon": icon}
            for permission, label, about, url, icon in offers
            if may(person, permission)
        ]
