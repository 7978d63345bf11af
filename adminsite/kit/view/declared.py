"""What a view declares: attributes, each with its default."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from flask_admin.contrib.sqla.view import ModelView
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from adminsite.kit.bulk import BulkAction
from adminsite.kit.filters import Filter
from adminsite.kit.forms import Lookup
from adminsite.permissions import Permission
from adminsite.resources import Resource


class Declared(ModelView):
    """What a view can declare.

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
        row_actions: the snippet with what can be done to a row.
        form_panels: templates drawn below the form of a record.
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
    form_lookups: ClassVar[Mapping[str, Lookup]] = {}
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

    can_view_details = True
    column_display_pk = False
    column_auto_select_related = False
    list_template = "model/list.html"
    details_template = "model/details.html"

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

    def get_column_name(self, field: str) -> str:
        """A column's label, in sentence case."""
        return str(self.column_labels.get(field) or field.replace("_", " ").capitalize())
