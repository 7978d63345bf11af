"""What the list selects, sorts, searches and draws, as the person who asks may see it."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from jinja2 import Template
from markupsafe import Markup
from sqlalchemy import Select, select

from adminsite import auth
from adminsite.db import db
from adminsite.kit import keys, rows
from adminsite.kit.columns import Column
from adminsite.kit.view.guarded import Guarded


class Listed(Guarded):
    """A view with a list."""

    # ---- keys ------------------------------------------------------------------------------

    @cached_property
    def pk_column(self) -> Any:
        """The column of the primary key."""
        return self.model.__table__.c.id

    def coerce_pk(self, value: Any) -> Any | None:
        """The key in its own type; None when it can be no key."""
        return keys.coerced(self.pk_column, value)

    def get_one(self, id: Any) -> Any:  # noqa: A002 - Flask-Admin's name
        """The record with this key, within the rows the person may see; else None."""
        key = self.coerce_pk(id)
        if key is None:
            return None
        wanted = select(self.model).where(self.pk_column == key, *self.scope())
        return db.session.scalar(wanted)

    # ---- columns ---------------------------------------------------------------------------

    @property
    def shown(self) -> tuple[Column, ...]:
        """The list's columns that the person may see."""
        if not self.column_permissions:
            return self._columns
        return tuple(column for column in self._columns if self.sees(column.name))

    def column(self, name: str) -> Column:
        """The column of that name, whether or not the list shows it."""
        return next((c for c in self.shown if c.name == name), None) or self._column(name)

    @cached_property
    def _columns(self) -> tuple[Column, ...]:
        return tuple(self._column(name) for name in self.column_list)

    def _column(self, name: str) -> Column:
        searched = {n.split(".")[0] for n in self.column_searchable_list}
        return Column(
            name=name,
            label=self.get_column_name(name),
            kind=self.column_kinds.get(name) or self.kind_of(name),
            sortable=name in self.column_sortable_list,
            editable=name in self.column_editable_list,
            searched=name in searched,
            options=self.column_choices.get(name, ()),
            asks=self.column_asks.get(name, ""),
            shape=self.column_shapes.get(name),
        )

    def kind_of(self, name: str) -> str:
        """The kind of cell a column needs, by its type."""
        if name in self.list_loaders:
            return "tags"
        stored = self.stored_columns[name].type
        stored = getattr(stored, "impl_instance", stored)
        kinds = {
            "DateTime": "date",
            "Integer": "number",
            "BigInteger": "number",
            "Boolean": "badge",
        }
        return kinds.get(type(stored).__name__, "text")

    # ---- sorting and searching -------------------------------------------------------------

    @property
    def sortable(self) -> dict[str, Any]:
        """The columns a list can be sorted by; each must be NOT NULL and indexed."""
        columns = self.stored_columns
        return {
            name: columns[self.sort_key(name)]
            for name in self.column_sortable_list
            if self.sees(name)
        }

    def sort_key(self, name: str) -> str:
        """The column whose values the list is in the order of, when sorted by this one."""
        return self.sort_columns.get(name, name)

    def sorts_alone(self, name: str) -> bool:
        """Whether no two rows have the same value there, so that the key need not follow.

        A value of another table is one record's only where that record is one row's only.
        """
        column = self.stored_columns[self.sort_key(name)]
        own = self.model.__table__
        once = column.table is own or any(
            key.parent.unique for key in own.foreign_keys if key.column.table is column.table
        )
        return bool(column.unique and once)

    @property
    def default_sort(self) -> tuple[str, bool]:
        """The column and direction of a list nobody sorted: newest first where there is a date.

        Where the person may not see that column, the list is sorted by name.
        """
        declared = self.column_default_sort or ("created_at", True)
        name, desc = declared if isinstance(declared, tuple) else (declared, False)
        return (name, desc) if name in self.sortable else (self.label_name, False)

    @property
    def searchable(self) -> bool:
        """Whether the list can be searched."""
        return bool(self.column_searchable_list)

    @cached_property
    def searches_itself(self) -> bool:
        """Whether a searched column is the record's own, not one of another table."""
        return bool(set(self.column_searchable_list) - set(self.search_also))

    @cached_property
    def searched_text(self) -> Any:
        """The lower-cased text that is searched."""
        own = self.model.__table__.c
        return own.search_text if self.search_column is None else self.search_column

    @cached_property
    def search_hint(self) -> str | None:
        """What the search box says it searches; None when there is none."""
        words = []
        for name in self.column_searchable_list:
            label = self.get_column_name(name.split(".")[0])
            label = label.removesuffix("s") if "." in name else label
            words.append(label if label[:2].isalpha() and label[:2].isupper() else label.lower())
        if not words:
            return None
        *others, last = words
        return f"Search {', '.join(others)} or {last}" if others else f"Search {last}"

    # ---- statements ------------------------------------------------------------------------

    @cached_property
    def stored_columns(self) -> dict[str, Any]:
        """The columns a list can show, sort and filter by, under their names here."""
        return {**self.model.__table__.c, **self.list_columns}

    @cached_property
    def list_from(self) -> Any:
        """The table of the list, with what is joined to it."""
        joined = self.model.__table__
        for other in self.list_joins:
            joined = joined.join(other.__table__)
        return joined

    def select_columns(self, *names: str) -> Select[Any]:
        """The statement for rows of plain values: the key, the label and these columns."""
        if names not in self._selects:
            known = self.stored_columns
            needed = [n for n in dict.fromkeys(("id", self.label_name, *names)) if n in known]
            columns = (known[n].label(n) if n in self.list_columns else known[n] for n in needed)
            self._selects[names] = select(*columns).select_from(self.list_from)
        return self._selects[names]

    @cached_property
    def _selects(self) -> dict[tuple[str, ...], Select[Any]]:
        return {}

    def select_keys(self) -> Select[Any]:
        """The statement for the keys of the list's rows."""
        return select(self.pk_column).select_from(self.list_from)

    @property
    def drawn_names(self) -> tuple[str, ...]:
        """What the rows of the list are drawn from."""
        names = (*(column.name for column in self.shown), *self.row_also)
        return (*names, "version") if self.column_choices else names

    # ---- rows as markup --------------------------------------------------------------------

    @property
    def row_base(self) -> dict[str, str]:
        """What every row's address and name are made from."""
        return {"url": str(self.url), "prefix": self.row_prefix, "label": self.label_name}

    def draw_rows(
        self, records: Sequence[Any], related: Mapping[str, Any], term: str = ""
    ) -> Markup:
        """Records as table rows, as this person may see and use them."""
        shown = self.shown
        may_edit, may_act = self.can_edit, self.acts_on_rows
        editable = frozenset(c.name for c in shown if may_edit and c.editable and self.sets(c.name))
        refused = self.refusals(records, auth.current_person()) if may_act else None
        drawn = rows.shaped(
            records,
            shown,
            related,
            base=self.row_base,
            term=term,
            refused=refused,
            also=self.row_also,
        )
        actions = self.row_actions if may_act else ""
        pick = bool(self.allowed_actions())
        ruled = refused is not None
        variant = (shown, editable, actions, pick, ruled)
        if variant not in self._compiled:
            self._compiled[variant] = rows.compiled(
                shown, editable=editable, actions=actions, pick=pick, ruled=ruled
            )
        return rows.draw(self._compiled[variant], drawn, **self._row_context)

    def draw_cell(self, record: Any, column: Column) -> Markup:
        """The inside of one editable cell, as `draw_rows` draws it."""
        refused = self.refusals([record], auth.current_person())
        drawn = rows.shaped([record], [column], {}, base=self.row_base, refused=refused)
        if column not in self._compiled:
            self._compiled[column] = rows.compiled_cell(column)
        return rows.draw(self._compiled[column], drawn, **self._row_context)

    @cached_property
    def _row_context(self) -> dict[str, Any]:
        columns = {column.name: column for column in self._columns}
        return {"list_url": str(self.url), "columns": columns}

    @cached_property
    def _compiled(self) -> dict[Any, Template]:
        """The row loop for each set of powers, and the cells: compiled when first drawn."""
        return {}
