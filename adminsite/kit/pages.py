"""The templates' contexts: what a list, a form or a dialog is drawn from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect

from adminsite import audit, auth
from adminsite.db import db
from adminsite.kit import listing
from adminsite.kit.deleting import Once
from adminsite.kit.editing import Draft
from adminsite.kit.filters import Filter, LookupFilter
from adminsite.kit.forms import ResourceForm, TagsField
from adminsite.web import is_htmx

if TYPE_CHECKING:
    from adminsite.kit.view import ResourceView


def listed(view: "ResourceView", args: Mapping[str, str], *, whole: bool) -> str:
    """The list page, or its region alone with what must change outside it."""
    session = db.session()
    query = listing.read(view, args)
    page = listing.fetch(view, session, query)
    related = listing.related(view, session, page.records)
    term = query.term
    url = str(view.url)
    context: dict[str, Any] = {
        "columns": [_heading(view, query, column) for column in view.shown],
        "rows": view.draw_rows(page.records, related, term),
        "n_rows": len(page.records),
        "count": page.count,
        "count_text": page.count_text,
        "exact": page.exact,
        "count_url": query.url(
            f"{url}/count", first=str(page.first) if view.counts_pages else None
        ),
        "paging": paging(query.page_size, page.first, page.count if page.exact else None)
        if view.counts_pages
        else None,
        "search": query.search,
        "search_hint": view.search_hint,
        "filters": [_filter(view, query, flt, args) for flt in view.offered_filters],
        "params": query.params,
        "first": page.first,
        "last": page.last,
        "prev_url": _place(query, url, page.prev_cursor),
        "next_url": _place(query, url, page.next_cursor),
        "page_size": query.page_size,
        "page_sizes": [
            (size, query.url(url, page_size=str(size)), size == query.page_size)
            for size in listing.PAGE_SIZES
        ],
        "clear_url": url,
        "filtered": query.narrowed,
        "has_filters": bool(query.filters),
        "export_url": query.url(f"{url}/export/csv/") if view.can_export else None,
        "actions": view.allowed_actions(),
    }
    context["select"] = bool(context["actions"])
    context |= view.list_context(query, whole=whole)
    template = view.list_template if whole else "model/_list.html"
    return str(
        view.render(
            template,
            view=view,
            page=context,
            oob=not whole,
            page_title=view.name,
            breadcrumb=[(view.name, None)],
        )
    )


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page of how many this is, in words (R-002-47).

    Attributes:
        of: "of 192"; only "of more" until the rows are counted.
        pages: "Page 2 of 4".
        several: whether there is more than one page.
    """

    of: str
    pages: str
    several: bool


def paging(size: int, first: int, total: int | None) -> Paging:
    """The page that begins with the row in this place.

    Args:
        first: counted from 1; 0 on an empty page.
        total: how many rows there are; None while that is being counted.
    """
    number = max(first - 1, 0) // size + 1
    if total is None:
        return Paging(f"of more than {listing.COUNT_LIMIT:,}", f"Page {number:,}", several=True)
    last = max(-(-total // size), number)
    return Paging(f"of {total:,}", f"Page {number:,} of {last:,}", several=last > 1)


def _place(query: listing.Query, url: str, cursor: str | None) -> str | None:
    return query.url(url, cursor=cursor) if cursor else None


def _heading(view: "ResourceView", query: listing.Query, column: Any) -> dict[str, Any]:
    heading = {
        "name": column.name,
        "label": column.label,
        "kind": column.kind,
        "numeric": column.numeric,
        "editable": column.editable,
        "sortable": column.sortable,
        "sort": None,
        "sort_url": None,
    }
    if column.sortable:
        here = query.sort == column.name
        heading["sort"] = ("desc" if query.desc else "asc") if here else None
        # the first click on a date shows the newest, on a word the first of the alphabet
        desc = not query.desc if here else column.kind == "date"
        flag = "1" if desc else "0"
        heading["sort_url"] = query.url(str(view.url), sort=column.name, desc=flag)
    return heading


def _filter(
    view: "ResourceView", query: listing.Query, flt: Filter, args: Mapping[str, str]
) -> dict[str, Any]:
    active = query.filters.get(flt.name)
    url = str(view.url)
    return {
        "name": flt.name,
        "label": flt.label,
        "icon": flt.icon,
        "kind": flt.kind,
        "value": next(filter(None, map(args.get, flt.parameters)), None) if active else None,
        "values": {name: args.get(name, "") for name in flt.parameters},
        "text": active.text if active else "",
        "remove_url": query.url(url, **dict.fromkeys(flt.parameters)),
        "options": getattr(flt, "options", ()),
        "lookup_url": f"{url}/ajax/lookup/?name={flt.lookup}"
        if isinstance(flt, LookupFilter)
        else None,
    }


def create_form(view: "ResourceView", draft: Draft) -> str:
    """The form of a new record: a dialog over the list, or a page."""
    inline = view.create_inline and is_htmx()
    title = f"New {view.singular}"
    context = {
        **_form(view, draft, view.create_fields),
        "record": None,
        "action_url": str(view.url) if inline else f"{view.url}/new/",
        "cancel_url": str(view.url),
        "fixed": [],
        "panels": (),
        "submit_label": f"Create {view.singular}",
        "page_title": title,
        "breadcrumb": [(view.name, str(view.url)), (title, None)],
    }
    return str(view.render("model/_form_dialog.html" if inline else "model/form.html", **context))


def edit_form(view: "ResourceView", row: Any, draft: Draft, *, back: str) -> str:
    """The form of a record, with the panels that belong to it."""
    label = str(row)
    context = {
        **_form(view, draft, view.edit_fields),
        "record": row,
        "action_url": f"{view.url}/edit/?id={row.id}",
        "cancel_url": back,
        "back": back,
        "fixed": fixed_facts(view, row),
        "panels": view.form_panels,
        "delete_refusal": view.objection("delete", row, auth.current_person()),
        "submit_label": "Save changes",
        "page_title": f"{label} · {view.name}",
        "breadcrumb": [(view.name, str(view.url)), (label, None)],
    }
    return str(view.render("model/form.html", **context, **view.panel_context(row)))


def _form(view: "ResourceView", draft: Draft, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        "view": view,
        "form": draft.form,
        "row_version": draft.row_version,
        "clashes": draft.clashes,
        "message": draft.message,
        "sections": view.sections(names),
        "lookup_urls": lookup_urls(view, draft.form),
    }


def fixed_facts(view: "ResourceView", row: Any) -> list[tuple[str, str]]:
    """What was set once, to be read beside what can be edited."""
    mapped = inspect(view.model).column_attrs.keys()
    names = [name for name in view.resource.fixed if name in mapped]
    return [(view.get_column_name(name), getattr(row, name)) for name in names]


def row_form(view: "ResourceView", row: Any, draft: Draft) -> str:
    """A row of the list as a form."""
    path = f"{view.url}/{row.id}"
    context = {
        "view": view,
        "row": row,
        "dom_id": f"{view.row_prefix}-{row.id}",
        "label": str(row),
        "form": draft.form,
        "fixed": fixed_facts(view, row),
        "row_version": draft.row_version,
        "put_url": path,
        "cancel_url": path,
        "colspan": len(view.shown) + 2,
        "clashes": draft.clashes,
        "message": draft.message,
        "lookup_urls": lookup_urls(view, draft.form),
    }
    return str(view.render("model/_row_edit.html", **context))


def lookup_urls(view: "ResourceView", form: ResourceForm) -> dict[str, str]:
    """Where each picker of a form searches."""
    found = {}
    for field in form:
        name = getattr(field, "lookup", field.name if isinstance(field, TagsField) else "")
        if name:
            found[field.name] = f"{view.url}/ajax/lookup/?name={name}"
    return found


def cell_form(view: "ResourceView", row: Any, name: str, draft: Draft) -> str:
    """A cell of the list as a form."""
    context = {
        "view": view,
        "row": row,
        "label": str(row),
        "field": draft.form[name],
        "update_url": f"{view.url}/ajax/update/",
        "cancel_url": f"{view.url}/{row.id}/cell/{name}?cancel=1",
        "row_version": draft.row_version,
        "clash": draft.clashes.get(name),
        "message": draft.message,
    }
    return str(view.render("model/_cell_edit.html", **context))


def details(view: "ResourceView", row: Any) -> str:
    """A record to read, one line for each declared column."""
    related = listing.related(view, db.session(), [row])
    items = []
    for name in filter(view.sees, view.column_details_list):
        column = view.column(name)
        value = related[name].get(row.id, []) if name in related else getattr(row, name)
        items.append((column.label, column.kind, column.fit(value) if column.fit else value))
    label = str(row)
    return str(
        view.render(
            view.details_template,
            view=view,
            record=row,
            label=label,
            items=items,
            edit_url=f"{view.url}/edit/?id={row.id}" if view.can_edit else None,
            page_title=f"{label} · {view.name}",
            breadcrumb=[(view.name, str(view.url)), (label, None)],
        )
    )


def record(view: "ResourceView", row: Any) -> str:
    """The page of one record, as the view declares it."""
    label = str(row)
    context = {"page_title": f"{label} · {view.name}", **view.record_context(row)}
    breadcrumb = [(view.name, str(view.url)), (label, None)]
    page = view.render(
        str(view.record_template), view=view, record=row, breadcrumb=breadcrumb, **context
    )
    return str(page)


def once(view: "ResourceView", shown: Once) -> str:
    """A page for something that is shown a single time."""
    trail = [(view.name, str(view.url)), (shown.title, None)]
    page = view.render(
        "model/once.html", view=view, once=shown, page_title=shown.title, breadcrumb=trail
    )
    return str(page)


def delete_dialog(
    view: "ResourceView", row: Any, *, whole: bool, leave: bool = False, message: str = ""
) -> str:
    """The question before a record is deleted.

    Args:
        leave: whether it is asked on the record's own page, which ends with the record.
        message: why it is asked again.
    """
    label = str(row)
    title = f"Delete {label}?"
    what_goes = "#list" if view.rules_span_rows else f"#{view.row_prefix}-{row.id}"
    return str(
        view.render(
            "model/delete.html" if whole else "model/_delete.html",
            view=view,
            title=title,
            message=message,
            question=view.delete_question([row]),
            confirm_url=f"{view.url}/{row.id}{'?from=page' if leave else ''}",
            page_url=f"{view.url}/delete/",
            confirm_label=f"Delete {view.singular}",
            target="#main" if leave else what_goes,
            fields=[("id", str(row.id))],
            page_title=title,
            breadcrumb=[(view.name, str(view.url)), (title, None)],
        )
    )


def plain_record(view: "ResourceView", row: Any) -> dict[str, Any]:
    """A record for a script: the declared columns, with times in ISO 8601."""
    known = {*inspect(view.model).column_attrs.keys(), *view.list_columns}
    names = dict.fromkeys(("id", *view.resource.fields, *view.column_list, "version"))
    return {n: audit.plain(getattr(row, n)) for n in names if n in known and view.sees(n)}
