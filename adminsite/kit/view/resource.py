"""`ResourceView`: what Flask-Admin calls, answered by the kit."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from flask_admin import expose
from sqlalchemy import Integer, inspect

from adminsite import auth
from adminsite.db import db, transaction
from adminsite.kit import access, bulk, declare, editing, forms, keys
from adminsite.kit.routes import actions, deletions, in_place, lists, records
from adminsite.kit.view.listed import Listed
from adminsite.resources import Resource


class ResourceView(Listed):
    """A list, forms, inline edits, bulk actions and an export for one resource.

    What it can declare is told in `Declared`, what it can answer for itself in `Asked`.
    """

    _urls: list[tuple[str, str, Any]]

    # Again as `Declared` has them: mypy holds what a view declares against Flask-Admin's types,
    # unless the view's own parent says others
    column_details_list: tuple[str, ...]  # type: ignore[assignment]
    column_export_list: tuple[str, ...]  # type: ignore[assignment]
    column_labels: Mapping[str, str]  # type: ignore[assignment]
    column_choices: Mapping[str, tuple[tuple[str, str], ...]]  # type: ignore[assignment]
    form_args: Mapping[str, Mapping[str, Any]]  # type: ignore[assignment]
    form_extra_fields: Mapping[str, Any]  # type: ignore[assignment]

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
        place = f"<{keys.converter(self.pk_column)}:pk>"
        urls = [(url.replace("<pk>", place), name, methods) for url, name, methods in self._urls]
        self._urls = access.both_slashes(urls)
        access.check_routes(self, self._permissions)

    # ---- forms, and what else Flask-Admin asks while it builds the view --------------------

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

    @cached_property
    def number_fields(self) -> frozenset[str]:
        """The fields that hold whole numbers."""
        columns = inspect(self.model).columns
        return frozenset(
            name
            for name in self.resource.fields
            if name in columns and isinstance(columns[name].type, Integer)
        )

    def scaffold_form(self) -> Any:
        """The form of a new record."""
        return self.create_form_class

    def get_edit_form(self) -> Any:
        """The form of an existing record: without what is fixed at creation."""
        return self.form_for(self.edit_fields)

    def scaffold_list_form(self, widget: Any = None, validators: Any = None) -> Any:  # noqa: ARG002
        """The form of the editable cells."""
        return self.form_for(tuple(self.column_editable_list))

    def init_search(self) -> bool:
        """Searching is ours, see `listing`."""
        return self.searchable

    def get_filters(self) -> None:
        """Filters are ours, see `filters`."""

    # ---- routes: each a line here, its work in `kit.routes` ----------------------------------

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
