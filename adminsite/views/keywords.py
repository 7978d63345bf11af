"""Keywords: words that expand a URL template (R-001-26 to R-001-36, D-19)."""

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from wtforms import StringField, TextAreaField

from adminsite.kit import DayFilter, ResourceView
from adminsite.models import Keyword
from adminsite.operations import keywords
from adminsite.permissions import Permission
from adminsite.resources import KEYWORDS

SAMPLE = "quarterly report"


class KeywordView(ResourceView):
    """One word that expands a URL template."""

    resource = KEYWORDS
    section = "Content"
    icon = "hash"
    about = "A keyword turns go/keyword/something into a URL, with something in its place."
    create_inline = True
    column_list = ("keyword", "url_template", "description", "created_at")
    column_labels = {"url_template": "URL template", "created_at": "Created"}
    column_kinds = {"keyword": "code", "url_template": "template"}
    column_searchable_list = ("keyword", "url_template", "description")
    column_sortable_list = ("keyword", "created_at")
    column_editable_list = ("url_template", "description")
    filters = (DayFilter("created_at", "Created", "calendar", Keyword.created_at),)
    form_overrides = {"url_template": StringField, "description": TextAreaField}
    form_help = {
        "keyword": "Small letters, digits, dots, hyphens and underscores; fixed once made.",
        "url_template": "A URL that holds {slug} where the searched words go.",
    }
    route_permissions = {"preview": Permission.KEYWORDS_READ}

    @expose("/preview")
    def preview(self) -> ResponseReturnValue:
        """What a template expands to, while it is typed."""
        template = request.args.get("url_template", "")
        sample = request.args.get("sample", "").strip() or SAMPLE
        problem = None
        try:
            keywords.RULES["url_template"](template)
        except ValueError as refusal:
            problem = str(refusal)
        url = None if problem else keywords.expand(template, sample)
        return self.render(
            "keywords/_preview.html",
            ok=problem is None,
            url=url,
            message=problem if template else None,
            sample=sample,
        )
