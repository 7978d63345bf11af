"""The list: whole or its region, counted, as a file, and what a picker offers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from adminsite import audit, auth
from adminsite.db import db, folded, transaction
from adminsite.kit import export as exports
from adminsite.kit import listing, pages
from adminsite.kit.filters import FilterError
from adminsite.kit.forms import Lookup
from adminsite.kit.responses import asked_from, is_fragment

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView


def index(view: "ResourceView") -> ResponseReturnValue:
    """The list, or only its region when htmx asks."""
    return pages.listed(view, request.args, whole=not is_fragment())


def count(view: "ResourceView") -> ResponseReturnValue:
    """The exact count, fetched after the list is on the screen."""
    query = listing.read(view, request.args)
    number = listing.exact_count(view, db.session(), query)
    first = request.args.get("first", "")
    place = int(first) if first.isascii() and first.isdigit() and len(first) < 10 else 0  # noqa: PLR2004
    paging = pages.paging(query.page_size, place, number) if view.counts_pages and place else None
    return view.render("model/_count.html", count_text=f"{number:,}", paging=paging, late=True)


def export(view: "ResourceView", export_type: str) -> ResponseReturnValue:
    """The list as it is filtered, as CSV; who took it, and did not only ask (HEAD), is recorded.

    Raises:
        NotFound: another format than CSV.
    """
    if export_type != "csv":
        raise NotFound
    query = listing.read(view, request.args)
    if request.method != "HEAD":
        filters = {name: active.text for name, active in query.filters.items()}
        asked = {"resource": view.key, "search": query.search, "filters": filters}
        with transaction():
            audit.record("data.exported", None, asked, by=auth.current_person())
    return exports.respond(view, query)


def lookup(view: "ResourceView") -> ResponseReturnValue:
    """Records a picker offers for what was typed.

    Raises:
        NotFound: the view has no picker of that name.
    """
    finder = view.form_lookups.get(request.args.get("name", ""))
    if finder is None:
        raise NotFound
    term = folded(listing.clean_term(request.args.get("query", "")))
    options = finder.find(db.session(), term, Lookup.LIMIT)
    if is_fragment():
        return view.render("model/_options.html", options=options, term=term)
    return [[option.value, option.name, option.detail] for option in options]


def after_change(view: "ResourceView", args: Mapping[str, str]) -> str:
    """The list's region as it was narrowed; whole, when what narrowed it is gone by now."""
    try:
        return pages.listed(view, args, whole=False)
    except FilterError:
        return pages.listed(view, MultiDict(), whole=False)


def where_asked(view: "ResourceView") -> ResponseReturnValue:
    """The list of the page that htmx asks from: one change may have changed what others allow."""
    here = asked_from()
    answer = after_change(view, here[1] if here else MultiDict())
    return answer, {"HX-Retarget": "#list", "HX-Reswap": "outerHTML"}
