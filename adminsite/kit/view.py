"""`ResourceView`: a screen over a resource, closed by default, declared in a few columns.

It is one hardened subclass of Flask-Admin's `ModelView`. What Flask-Admin leaves open (inline
edits that ignore permissions, bulk deletes that stop half-way, errors that show SQL, lost
updates) is answered here once, by asking `access` before and `editing` for every change.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from flask import abort, has_request_context, request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from flask_admin.contrib.sqla.view import ModelView
from jinja2 import Template
from markupsafe import Markup
from sqlalchemy import ColumnElement, Integer, Select, inspect, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from adminsite import auth
from adminsite.db import db, transaction
from adminsite.kit import access, bulk, declare, editing, forms, listing, rows
from adminsite.kit.bulk import BulkAction
from adminsite.kit.columns import Column
from adminsite.kit.deleting import Once, Question
from adminsite.kit.filters import UNSTORABLE, Filter
from adminsite.kit.routes import actions, deletions, in_place, lists, records
from adminsite.permissions import Actor, Permission, may, require
from adminsite.resources import Resource

READS = (
    "index_view",
    "count_view",
    "row_view",
    "details_view",
    "ajax_lookup",
)
WRITES = (
    "create_view",
    "rest_create",
    "edit_view",
    "edit_row",
    "rest_update",
    "cell_view",
    "ajax_update",
    "confirm_delete",
    "delete_view",
    "rest_delete",
    "preview_action",
    "action_view",
)
CONVERTERS = {"UUID": "uuid", "str": "string"}  # of keys in URLs, by type; else numbers
LONGEST_KEY = 255  # of text, where its column sets no limit
NEEDS_VERB = {
    "create_view": "create",
    "rest_create": "create",
    "edit_view": "update",
    "edit_row": "update",
    "rest_update": "update",
    "cell_view": "update",
    "ajax_update": "update",
    "confirm_delete": "delete",
    "delete_view": "delete",
    "rest_delete": "delete",
}


class ResourceView(ModelView):
    """A list, forms, inline edits, bulk actions and an export for one resource.

    Everything Flask-Admin lets a view declare keeps its name; below is what is new. Every
    declared column is checked when the application starts.

    Attributes:
        resource: the model with its operations and permissions.
        section: the heading it stands under in the sidebar.
        icon: the name of its icon in the sprite.
        about: one sentence on what the list holds.
        label_column: the column that names a record.
        column_kinds: the kind of cell, by column, where the type does not say it.
        list_loaders: for columns from other tables: (session, keys) to {key: values}.
        list_joins: models with one row to each record, joined in every statement of the list.
        list_columns: columns of those, by the name of the model's property for each.
        search_column: the text that is searched, where it is not the model's own.
        search_also: conditions for searched columns of other tables, by their dotted name.
        sort_columns: the column that stands for another one when the list is sorted by that.
        column_choices: the words a "select" or "switch" column knows, with their labels.
        column_shapes: how the values of a column are made fit for its cell, where the kind of
            cell does not do that.
        row_also: further columns that the cells' markup reads.
        list_part: a template at the head of the list region, drawn from `list_context`.
        column_asks: what is asked before such a column saves; `{label}` is the record's name.
        filters: named filters of the list.
        edit_row_columns: fields of the whole-row edit; by default the editable columns.
        form_lookups: pickers that search on the server, by name.
        form_help: a sentence under a field.
        column_permissions: columns that need more than the resource's `read`: without it
            they are in no list, page, form, sort, filter, export or answer.
        field_permissions: fields whose change needs more than the resource's `write`.
        export_permission: who may export.
        route_permissions: a permission for each route a subclass adds.
        create_inline: whether new records are made in a dialog over the list.
        bulk_actions: what can be done to many rows, beside deleting them.
        preview_options: what `objection` reads of related records, loaded along.
        delete_answers: what the operation must be told to delete, by its parameters' names;
            `delete_question` asks for it.
        record_template: the page of one record at its own address; else its form is shown.
        ruling_columns: editable columns whose value changes what `refusals` says of the row.
        rules_span_rows: whether a change of one row may change what `refusals` says of others.
        counts_pages: whether the footer says "of 192" and "Page 2 of 4".
    """

    resource: ClassVar[Resource]
    section: ClassVar[str] = "Content"
    icon: ClassVar[str] = "table"
    about: ClassVar[str] = ""
    label_column: ClassVar[str] = ""
    column_kinds: ClassVar[Mapping[str, str]] = {}
    list_loaders: ClassVar[Mapping[str, Callable[[Session, Sequence[Any]], Mapping[Any, Any]]]] = {}
    list_joins: ClassVar[tuple[Any, ...]] = ()
    list_columns: ClassVar[Mapping[str, Any]] = {}
    search_column: ClassVar[Any] = None
    search_also: ClassVar[Mapping[str, Callable[[Session, str], ColumnElement[bool] | None]]] = {}
    sort_columns: ClassVar[Mapping[str, str]] = {}
    column_shapes: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    row_also: ClassVar[tuple[str, ...]] = ()
    list_part: ClassVar[str | None] = None
    column_asks: ClassVar[Mapping[str, str]] = {}
    filters: ClassVar[tuple[Filter, ...]] = ()
    edit_row_columns: ClassVar[tuple[str, ...] | None] = None
    form_lookups: ClassVar[Mapping[str, forms.Lookup]] = {}
    form_help: ClassVar[Mapping[str, str]] = {}
    column_permissions: ClassVar[Mapping[str, Permission]] = {}
    field_permissions: ClassVar[Mapping[str, Permission]] = {}
    export_permission: ClassVar[Permission] = Permission.DATA_EXPORT
    route_permissions: ClassVar[Mapping[str, Permission]] = {}
    create_inline: ClassVar[bool] = False
    bulk_actions: ClassVar[tuple[BulkAction, ...]] = ()
    preview_options: ClassVar[tuple[ORMOption, ...]] = ()
    delete_answers: ClassVar[tuple[str, ...]] = ()
    record_template: ClassVar[str | None] = None
    counts_pages: ClassVar[bool] = False
    rules_span_rows: ClassVar[bool] = False
    ruling_columns: ClassVar[tuple[str, ...]] = ()
    row_actions: ClassVar[str] = "actions"
    form_panels: ClassVar[tuple[str, ...]] = ()

    # Flask-Admin's declarations, as tuples of names; empty means not declared
    column_list: tuple[str, ...] = ()
    column_details_list: tuple[str, ...] = ()  # type: ignore[assignment]
    column_export_list: tuple[str, ...] = ()  # type: ignore[assignment]
    column_sortable_list: tuple[str, ...] = ()
    column_searchable_list: tuple[str, ...] = ()
    column_editable_list: tuple[str, ...] = ()
    column_default_sort: str | tuple[str, bool] | None = None
    column_labels: Mapping[str, str] = {}  # type: ignore[assignment]
    column_choices: Mapping[str, tuple[tuple[str, str], ...]] = {}  # type: ignore[assignment]
    form_columns: tuple[str, ...] = ()
    form_args: Mapping[str, Mapping[str, Any]] = {}  # type: ignore[assignment]
    form_extra_fields: Mapping[str, Any] = {}  # type: ignore[assignment]

    _urls: list[tuple[str, str, Any]]
    can_view_details = True
    column_display_pk = False
    column_auto_select_related = False
    list_template = "model/list.html"
    details_template = "model/details.html"

    def __init__(self) -> None:
        resource = getattr(type(self), "resource", None)
        if not isinstance(resource, Resource):
            message = f"{type(self).__name__} declares no resource, so nobody may open it."
            raise access.UndeclaredError(message)
        self._adopt(resource)
        declare.check(self)
        super().__init__(
            resource.model, db, name=self.plural.capitalize(), endpoint=self.key, url=self.key
        )
        self._default_view = "index_view"
        converter = CONVERTERS.get(self.pk_type.__name__, "int")
        urls = [(u.replace("<pk>", f"<{converter}:pk>"), n, m) for u, n, m in self._urls]
        self._urls = access.both_slashes(urls)
        self._permissions = self._route_permissions()
        access.check_routes(self, self._permissions)

    def _adopt(self, resource: Resource) -> None:
        """Take from the resource what the view did not declare itself."""
        self.model = resource.model
        self.key = resource.key
        self.plural = self.key.replace("_", " ")
        self.singular = self.plural.removesuffix("s")
        self.row_prefix = self.key.removesuffix("s")
        first = next(iter(self.column_list), "id")
        self.label_name = self.label_column or first
        self.form_columns = self.form_columns or resource.fields
        self.column_details_list = self.column_details_list or self.column_list
        self.column_export_list = self.column_export_list or resource.fields

    def _route_permissions(self) -> dict[str, Permission]:
        return (
            dict.fromkeys(READS, self.resource.read)
            | dict.fromkeys(WRITES, self.resource.write)
            | {"export": self.export_permission}
            | dict(self.route_permissions)
        )

    # ---- what Flask-Admin asks while it builds the view -----------------------------------

    def init_search(self) -> bool:
        """Searching is ours, see `listing`."""
        return self.searchable

    def get_filters(self) -> None:
        """Filters are ours, see `filters`."""

    def scaffold_form(self) -> Any:
        """The form of a new record."""
        return self.form_for(self.create_fields)

    def get_edit_form(self) -> Any:
        """The form of an existing record: without what is fixed at creation."""
        return self.form_for(self.edit_fields)

    @property
    def create_fields(self) -> tuple[str, ...]:
        """The fields of a new record that the person may set."""
        return tuple(filter(self.sets, self.form_columns))

    @property
    def edit_fields(self) -> tuple[str, ...]:
        """The fields of a record that the person may change."""
        return tuple(n for n in self.create_fields if n not in self.resource.fixed)

    @property
    def row_fields(self) -> tuple[str, ...]:
        """The fields of the whole-row edit that the person may change."""
        declared = self.edit_row_columns or self.column_editable_list
        return tuple(filter(self.sets, declared)) if declared else self.edit_fields

    def scaffold_list_form(self, widget: Any = None, validators: Any = None) -> Any:  # noqa: ARG002
        """The form of the editable cells."""
        return self.form_for(tuple(self.column_editable_list))

    def form_for(self, names: tuple[str, ...]) -> type[forms.ResourceForm]:
        """A form class of these fields, built once."""
        if names not in self._forms:
            self._forms[names] = forms.build(self, names)
        return self._forms[names]

    @cached_property
    def _forms(self) -> dict[tuple[str, ...], type[forms.ResourceForm]]:
        return {}

    @property
    def create_form_class(self) -> type[forms.ResourceForm]:
        """The form of a new record."""
        return self.form_for(self.create_fields)

    # ---- access ---------------------------------------------------------------------------

    def is_accessible(self) -> bool:
        """Whether the menu shows it to the person."""
        person = auth.current_actor()
        return person is not None and may(person, self.resource.read)

    def _handle_view(self, name: str, **_kwargs: Any) -> ResponseReturnValue | None:
        """Admit the person to this route, or answer why not; unknown routes are refused."""
        turned_away = auth.turn_away()
        if turned_away is not None:
            return turned_away
        if name not in self._permissions:
            abort(403)
        person = auth.current_person()
        require(person, self.resource.read)  # who may not look may not take away either
        require(person, self._permissions[name])
        if name in NEEDS_VERB and not self.resource.supports(NEEDS_VERB[name]):
            abort(404)
        return None

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the route; Flask-Admin's own would hide a TypeError in it (#2358)."""
        return fn(self, *args, **kwargs)

    def scope(self) -> tuple[ColumnElement[bool], ...]:
        """Conditions on the rows this person may see; applied to every statement."""
        return ()

    def refuses(self, verb: str, row: Any, person: Actor) -> str | None:  # noqa: ARG002
        """Why the person may not "edit" or "delete" this row; None when they may."""
        return None

    def asks_for(self, name: str) -> tuple[Permission, ...]:
        """What setting this field needs beyond the resource's `write`."""
        asked = (self.column_permissions.get(name), self.field_permissions.get(name))
        return tuple(permission for permission in asked if permission is not None)

    def sees(self, name: str) -> bool:
        """Whether the person may see this column; everybody may while the application starts."""
        permission = self.column_permissions.get(name)
        if permission is None or not has_request_context():
            return True
        return may(auth.current_person(), permission)

    def sets(self, name: str) -> bool:
        """Whether the person may set this field, as far as fields differ."""
        asked = self.asks_for(name)
        if not asked or not has_request_context():
            return True
        return all(may(auth.current_person(), permission) for permission in asked)

    def _may(self, verb: str, permission: Permission) -> bool:
        person = auth.current_actor()
        return person is not None and self.resource.supports(verb) and may(person, permission)

    @property
    def can_create(self) -> bool:  # type: ignore[override]
        """Whether the operation exists and the person may."""
        return self._may("create", self.resource.write)

    @property
    def can_edit(self) -> bool:  # type: ignore[override]
        """Whether the operation exists and the person may."""
        return self._may("update", self.resource.write)

    @property
    def can_delete(self) -> bool:  # type: ignore[override]
        """Whether the operation exists and the person may."""
        return self._may("delete", self.resource.write)

    @property
    def can_export(self) -> bool:  # type: ignore[override]
        """Whether the person may take the list away."""
        person = auth.current_actor()
        asked = (self.resource.read, self.export_permission)
        return person is not None and all(may(person, permission) for permission in asked)

    @property
    def acts_on_rows(self) -> bool:
        """Whether the person may do anything to a row, so that rows have actions."""
        return self.can_edit or self.can_delete

    # ---- what the kit's modules ask -------------------------------------------------------

    @property
    def missing_text(self) -> str:
        """The sentence for a record that is not there."""
        return f"This {self.singular} does not exist any more."

    @property
    def searchable(self) -> bool:
        """Whether the list can be searched."""
        return bool(self.column_searchable_list)

    @cached_property
    def searches_itself(self) -> bool:
        """Whether a searched column is the record's own, not one of another table."""
        return bool(set(self.column_searchable_list) - set(self.search_also))

    def list_context(self, query: listing.Query, *, whole: bool) -> dict[str, Any]:  # noqa: ARG002
        """What the view's own parts of the list are drawn from, beside the rows.

        Args:
            query: what the list shows.
            whole: whether the page is drawn, not the list region alone.
        """
        return {}

    @cached_property
    def pk_column(self) -> Any:
        """The column of the primary key."""
        return self.model.__table__.c.id

    @cached_property
    def pk_type(self) -> type:
        """The Python type of the primary key."""
        return inspect(self.model).primary_key[0].type.python_type

    def coerce_pk(self, value: Any) -> Any | None:
        """The key in its own type; None when it can be no key."""
        text = str(value)
        if self.pk_type is str:
            longest = self.pk_column.type.length or LONGEST_KEY
            return text if 0 < len(text) <= longest and not UNSTORABLE.search(text) else None
        if isinstance(value, self.pk_type):
            key = value
        else:
            if self.pk_type is int and not (text.isascii() and text.isdigit()):
                return None
            try:
                key = self.pk_type(text)
            except ValueError:
                return None
        return key if not isinstance(key, int) or 0 <= key < 2**31 else None

    def get_one(self, id: Any) -> Any:  # noqa: A002 - Flask-Admin's name
        """The record with this key, within the rows the person may see; else None."""
        key = self.coerce_pk(id)
        if key is None:
            return None
        wanted = select(self.model).where(self.pk_column == key, *self.scope())
        return db.session.scalar(wanted)

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

    @property
    def default_sort(self) -> tuple[str, bool]:
        """The column and direction of a list nobody sorted: newest first where there is a date.

        Where the person may not see that column, the list is sorted by name.
        """
        declared = self.column_default_sort or ("created_at", True)
        name, desc = declared if isinstance(declared, tuple) else (declared, False)
        return (name, desc) if name in self.sortable else (self.label_name, False)

    @cached_property
    def number_fields(self) -> frozenset[str]:
        """The fields that hold whole numbers."""
        columns = inspect(self.model).columns
        return frozenset(
            name
            for name in self.resource.fields
            if name in columns and isinstance(columns[name].type, Integer)
        )

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

    @cached_property
    def _columns(self) -> tuple[Column, ...]:
        return tuple(self._column(name) for name in self.column_list)

    @property
    def shown(self) -> tuple[Column, ...]:
        """The list's columns that the person may see."""
        if not self.column_permissions:
            return self._columns
        return tuple(column for column in self._columns if self.sees(column.name))

    @property
    def offered_filters(self) -> tuple[Filter, ...]:
        """The filters on columns that the person may see."""
        return tuple(flt for flt in self.filters if all(map(self.sees, flt.parameters)))

    def column(self, name: str) -> Column:
        """The column of that name, whether or not the list shows it."""
        return next((c for c in self.shown if c.name == name), None) or self._column(name)

    def _column(self, name: str) -> Column:
        searched = {n.split(".")[0] for n in self.column_searchable_list}
        return Column(
            name=name,
            label=self.get_column_name(name),
            kind=self.column_kinds.get(name) or self.kind_of(name),
            sortable=name in self.column_sortable_list,
            editable=name in (self.column_editable_list),
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

    def get_column_name(self, field: str) -> str:
        """A column's label, in sentence case."""
        return str(self.column_labels.get(field) or field.replace("_", " ").capitalize())

    @property
    def row_base(self) -> dict[str, str]:
        """What every row's address and name are made from."""
        return {"url": str(self.url), "prefix": self.row_prefix, "label": self.label_name}

    @cached_property
    def list_from(self) -> Any:
        """The table of the list, with what is joined to it."""
        joined = self.model.__table__
        for other in self.list_joins:
            joined = joined.join(other.__table__)
        return joined

    @cached_property
    def stored_columns(self) -> dict[str, Any]:
        """The columns a list can show, sort and filter by, under their names here."""
        return {**self.model.__table__.c, **self.list_columns}

    @cached_property
    def searched_text(self) -> Any:
        """The lower-cased text that is searched."""
        own = self.model.__table__.c
        return own.search_text if self.search_column is None else self.search_column

    @property
    def drawn_names(self) -> tuple[str, ...]:
        """What the rows of the list are drawn from."""
        names = (*(column.name for column in self.shown), *self.row_also)
        return (*names, "version") if self.column_choices else names

    @cached_property
    def _selects(self) -> dict[tuple[str, ...], Select[Any]]:
        return {}

    def select_columns(self, *names: str) -> Select[Any]:
        """The statement for rows of plain values: the key, the label and these columns."""
        if names not in self._selects:
            known = self.stored_columns
            needed = [n for n in dict.fromkeys(("id", self.label_name, *names)) if n in known]
            columns = (known[n].label(n) if n in self.list_columns else known[n] for n in needed)
            self._selects[names] = select(*columns).select_from(self.list_from)
        return self._selects[names]

    def select_keys(self) -> Select[Any]:
        """The statement for the keys of the list's rows."""
        return select(self.pk_column).select_from(self.list_from)

    def export_columns(self) -> tuple[str, ...]:
        """The columns of the export."""
        return tuple(filter(self.sees, self.column_export_list))

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

    def refusals(
        self,
        records: Sequence[Any],  # noqa: ARG002
        person: Actor,  # noqa: ARG002
    ) -> Mapping[Any, Mapping[str, str]] | None:
        """What cannot be done to which of these records, and why; None where nothing is ruled.

        By record id, then by column name or "delete". An empty reason means that it is not even
        offered. The operation refuses the same; this says so before anybody tries.
        """
        return None

    @cached_property
    def _compiled(self) -> dict[Any, Template]:
        """The row loop for each set of powers, and the cells: compiled when first drawn."""
        return {}

    def allowed_actions(self) -> list[BulkAction]:
        """The bulk actions the person may use."""
        person = auth.current_person()
        actions = [
            action
            for action in self.bulk_actions
            if self.can_edit and (action.permission is None or may(person, action.permission))
        ]
        return [*actions, self.bulk_delete] if self.can_delete else actions

    @cached_property
    def bulk_delete(self) -> BulkAction:
        """Deleting many rows: all of them, or none."""
        return BulkAction(
            name="delete",
            label="Delete",
            icon="trash-2",
            verb="delete",
            apply=self.resource.operations.delete,
            apply_all=getattr(self.resource.operations, "delete_all", None),
            asks=True,
            done="Deleted",
            danger=True,
        )

    @property
    def delete_warning(self) -> str:
        """What the confirmation says cannot be undone."""
        return "This is permanent."

    def delete_facts(self, row: Any) -> list[tuple[str, str]]:
        """What the confirmation shows of the record, to know it by."""
        return [(self.get_column_name(self.label_name), getattr(row, self.label_name))]

    def delete_lines(self, row: Any) -> list[str]:  # noqa: ARG002
        """Sentences on what goes with the record."""
        return []

    def delete_question(self, rows: Sequence[Any]) -> Question:
        """What is asked before these records are deleted, and what can be answered."""
        if len(rows) != 1:
            return Question(warning=self.delete_warning)
        row = rows[0]
        facts, lines = tuple(self.delete_facts(row)), tuple(self.delete_lines(row))
        return Question(facts=facts, lines=lines, warning=self.delete_warning)

    def objection(self, verb: str, row: Any, person: Actor) -> str | None:
        """Why the operation would refuse this, as a preview says it; None when it would not."""
        return self.refuses(verb, row, person)

    def objections(self, verb: str, rows: Sequence[Any], person: Actor) -> Mapping[Any, str]:
        """The same of many records, by id; to be overridden where that takes statements."""
        said = {row.id: self.objection(verb, row, person) for row in rows}
        return {key: reason for key, reason in said.items() if reason}

    def record_context(self, row: Any) -> dict[str, Any]:  # noqa: ARG002
        """What the record's page is drawn from, beside the record."""
        return {}

    def make(self, values: dict[str, Any], person: Actor) -> Any:
        """Make a record of a form's values, inside the transaction; the record."""
        return self.resource.operations.create(values, by=person)

    def shown_once(self, row: Any) -> Once | None:  # noqa: ARG002
        """What making the record brought that is never shown again; asked after the commit."""
        return None

    def sections(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The form's sections; by default one without a heading."""
        return [{"title": "", "about": "", "fields": list(names)}]

    def panel_context(self, row: Any) -> dict[str, Any]:  # noqa: ARG002
        """What the panels below the edit form are drawn from."""
        return {}

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
        return (
            f"Search {', '.join(words[:-1])} or {words[-1]}" if words[1:] else f"Search {words[0]}"
        )

    def clean(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values of a form as the operation takes them; a picker's text becomes a key."""
        return values

    def prefill(self, form: forms.ResourceForm, row: Any) -> None:
        """Fill fields that do not come from a column; the form is about to be shown."""

    # ---- routes: each a line here, its work in `routes` -----------------------------------

    @expose("/")
    def index_view(self) -> ResponseReturnValue:
        """The list."""
        return lists.index(self)

    @expose("/count")
    def count_view(self) -> ResponseReturnValue:
        """How many rows the list has, exactly."""
        return lists.count(self)

    @expose("/", methods=("POST",))
    def rest_create(self) -> ResponseReturnValue:
        """Make a record from the list."""
        return records.create(self)

    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> ResponseReturnValue:
        """The form of a new record."""
        return records.create(self) if request.method == "POST" else records.new(self)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> ResponseReturnValue:
        """The form of a record."""
        return records.edit(self)

    @expose("/details/")
    def details_view(self) -> ResponseReturnValue:
        """A record to read."""
        return records.details(self)

    @expose("/<pk>")
    def row_view(self, pk: Any) -> ResponseReturnValue:
        """One row of the list."""
        return records.show(self, pk)

    @expose("/<pk>/edit")
    def edit_row(self, pk: Any) -> ResponseReturnValue:
        """The row as a form."""
        return in_place.edit_row(self, pk)

    @expose("/<pk>", methods=("PUT",))
    def rest_update(self, pk: Any) -> ResponseReturnValue:
        """Save the row."""
        return in_place.update_row(self, pk)

    @expose("/<pk>/cell/<field>")
    def cell_view(self, pk: Any, field: str) -> ResponseReturnValue:
        """One cell as a form."""
        return in_place.edit_cell(self, pk, field)

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> ResponseReturnValue:
        """Save cells, in Flask-Admin's form."""
        return in_place.update_cells(self)

    @expose("/<pk>/delete")
    def confirm_delete(self, pk: Any) -> ResponseReturnValue:
        """What deleting would do, and the button for it."""
        return deletions.confirm(self, pk)

    @expose("/<pk>", methods=("DELETE",))
    def rest_delete(self, pk: Any) -> ResponseReturnValue:
        """Delete the row."""
        return deletions.delete(self, pk)

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> ResponseReturnValue:
        """Delete the record named in the form."""
        return deletions.delete(self, request.form.get("id", ""))

    @expose("/action/preview", methods=("POST",))
    def preview_action(self) -> ResponseReturnValue:
        """What a bulk action would do."""
        return actions.preview(self)

    @expose("/action/", methods=("POST",))
    def action_view(self) -> ResponseReturnValue:
        """Do a bulk action."""
        return actions.run(self)

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> ResponseReturnValue:
        """Records a picker offers."""
        return lists.lookup(self)

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> ResponseReturnValue:
        """The list as a file."""
        return lists.export(self, export_type)

    # ---- Flask-Admin's write methods, for code that calls them: the same operations --------

    def create_model(self, form: Any) -> Any:
        """Make a record from a form of this view; see `Resource.operations`."""
        values = {field.name: field.data for field in form if field.name in self.create_fields}
        with transaction():
            return self.resource.operations.create(values, by=auth.current_person())

    def update_model(self, form: Any, model: Any) -> bool:
        """Change a record from a form of this view."""
        values = {field.name: field.data for field in form if field.name in self.edit_fields}
        with transaction():
            row = editing.locked(self, "edit", model.id)
            self.resource.operations.update(row, values, by=auth.current_person())
        return True

    def delete_model(self, model: Any) -> bool:
        """Delete a record."""
        editing.delete(self, model.id)
        return True

    def action_delete(self, ids: Sequence[Any]) -> None:
        """Delete all of them, or none."""
        bulk.run(self, self.bulk_delete, [self.coerce_pk(key) for key in ids])
