"""Rows: one compiled loop per view draws a list's rows, and a single row after an edit.

The cells' markup lies in `cells/<kind>.html`; these snippets are pasted into one template
when the first row is drawn. Macros or includes in a loop of 50 rows would cost as much as the
rest of the page (flask-admin notes, section 6).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from flask import current_app
from jinja2 import Template
from markupsafe import Markup

from adminsite.kit.columns import AT_ONCE, UNWRAPPED, Column, highlighted

NOTHING: Mapping[str, str] = {}
ROW = """\
{{% for row in rows %}}<tr id="{{{{ row['dom_id'] }}}}" data-path="{{{{ row['path'] }}}}" \
tabindex="-1">{pick}{cells}{actions}</tr>
{{% endfor %}}"""
PICK = """<td class="pick"><input type="checkbox" name="rowid" value="{{ row['id'] }}" \
aria-label="Select {{ row['label'] }}"></td>"""
CELL = """<td data-label="{label}" class="cell-{kind}">{inner}</td>"""


def snippet(kind: str) -> str:
    """The markup of one kind of cell."""
    loader = current_app.create_global_jinja_loader()
    source, _name, _fresh = loader.get_source(current_app.jinja_env, f"cells/{kind}.html")
    return source.strip()


def compiled(
    columns: tuple[Column, ...],
    *,
    editable: frozenset[str],
    actions: str,
    pick: bool,
    ruled: bool = False,
) -> Template:
    """The loop that draws rows of these columns.

    Args:
        editable: the names of those that may be edited in place.
        actions: the name of the snippet with the row's actions; empty for none.
        pick: whether rows can be chosen for a bulk action.
        ruled: whether rows say what of this is refused for them.
    """
    cells = "".join(
        _cell(column, editable=column.name in editable, ruled=ruled) for column in columns
    )
    body = ROW.format(
        pick=PICK if pick else "",
        cells=cells,
        actions=f'<td class="actions">{snippet(actions)}</td>' if actions else "",
    )
    return current_app.jinja_env.from_string(body)


def inner(column: Column, *, editable: bool, ruled: bool = False) -> str:
    """What stands inside the cell: the value, and the control that edits it, if it may be."""
    bound = f"{{% set value = row[{column.name!r}] %}}"
    body = snippet("badge" if column.kind in AT_ONCE else column.kind)
    if not editable:
        return bound + body
    control = _control(column, body)
    if not ruled:
        return bound + control
    return (
        f"{bound}{{% set why = row['refused'].get({column.name!r}) %}}"
        f'{{% if why %}}<span class="refused" tabindex="0" data-tip="{{{{ why }}}}">{body}'
        f'<span class="sr-only">{{{{ why }}}}</span></span>{{% else %}}{control}{{% endif %}}'
    )


def _control(column: Column, body: str) -> str:
    if column.kind in AT_ONCE:
        return snippet(f"{column.kind}_control").replace("COLUMN", column.name)
    if column.kind in UNWRAPPED:
        return (
            f'{body}<button type="button" class="cell-pencil" data-cell="{column.name}" '
            f"aria-label=\"Edit {column.label} of {{{{ row['label'] }}}}\"></button>"
        )
    return (
        f'<button type="button" class="cell" data-cell="{column.name}" '
        f'title="Edit {column.label}">{body}</button>'
    )


def _cell(column: Column, *, editable: bool, ruled: bool) -> str:
    content = inner(column, editable=editable, ruled=ruled)
    return CELL.format(label=column.label, kind=column.kind, inner=content)


def compiled_cell(column: Column) -> Template:
    """The inside of one editable cell, for after an edit."""
    body = inner(column, editable=True, ruled=True)
    return current_app.jinja_env.from_string(f"{{% for row in rows %}}{body}{{% endfor %}}")


def shaped(  # noqa: PLR0913 - what a row is made of
    records: Sequence[Any],
    columns: Iterable[Column],
    related: Mapping[str, Mapping[Any, Any]],
    *,
    base: Mapping[str, str],
    term: str = "",
    refused: Mapping[Any, Mapping[str, str]] | None = None,
    also: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Records as the row loop wants them: values fit for cells, and their paths.

    Args:
        records: rows with an `id`, the label column and every mapped column.
        columns: those to draw.
        related: for relation columns, values by record id.
        base: `url` of the list, `prefix` of the row's id, `label` column.
        term: the lower-cased searched term, marked where it occurs.
        refused: by record id, what cannot be done to it, and why.
        also: further columns that the cells' markup reads.
    """
    rows = []
    refused = refused or {}
    url, prefix, label = base["url"], base["prefix"], base["label"]
    plan = [(c.name, c.fit, related.get(c.name), bool(term) and c.searched) for c in columns]
    for record in records:
        key = record.id
        place = quote(key, safe="") if isinstance(key, str) else key
        row = {
            "id": key,
            "dom_id": f"{prefix}-{key}",
            "path": f"{url}/{place}",
            "edit_url": f"{url}/edit/?id={place}",
            "label": getattr(record, label),
            "version": getattr(record, "version", ""),
            "refused": refused.get(key, NOTHING),
            **{name: getattr(record, name) for name in also},
        }
        for name, shape, lookup, marks in plan:
            value = lookup.get(key, ()) if lookup is not None else getattr(record, name)
            if shape is not None:
                value = shape(value)
            row[name] = highlighted(value, term) if marks else value
        rows.append(row)
    return rows


def draw(template: Template, rows: list[dict[str, Any]], **context: Any) -> Markup:
    """The rows as markup."""
    return Markup(template.render(rows=rows, **context))  # noqa: S704 - autoescaped by Jinja
