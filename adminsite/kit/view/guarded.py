"""Who may do what: each route, column, field, verb and bulk action, for the person who asks."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from flask import abort, has_request_context
from flask.typing import ResponseReturnValue

from adminsite import auth
from adminsite.kit.bulk import BulkAction
from adminsite.kit.filters import Filter
from adminsite.kit.view.asked import Asked
from adminsite.permissions import Permission, may, require

READS = (
    "index_view",
    "count_view",
    "row_view",
    "details_view",
    "ajax_lookup",
)
# Routes that change something, each with the verb without which it does not exist.
WRITES: Mapping[str, str | None] = {
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
    "preview_action": None,
    "action_view": None,
}


class Guarded(Asked):
    """A view that is closed, but for what its permissions open."""

    # ---- routes ---------------------------------------------------------------------------

    @cached_property
    def _permissions(self) -> dict[str, Permission]:
        """The permission each route needs, by the name of its method."""
        return (
            dict.fromkeys(READS, self.resource.read)
            | dict.fromkeys(WRITES, self.resource.write)
            | {"export": self.export_permission}
            | dict(self.route_permissions)
        )

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
        verb = WRITES.get(name)
        if verb is not None and not self.resource.supports(verb):
            abort(404)
        return None

    def _run_view(self, fn: Any, *args: Any, **kwargs: Any) -> Any:
        """Call the route; Flask-Admin's own would hide a TypeError in it (#2358)."""
        return fn(self, *args, **kwargs)

    # ---- columns and fields ----------------------------------------------------------------

    def sees(self, name: str) -> bool:
        """Whether the person may see this column; everybody may while the application starts."""
        permission = self.column_permissions.get(name)
        if permission is None or not has_request_context():
            return True
        return may(auth.current_person(), permission)

    def asks_for(self, name: str) -> tuple[Permission, ...]:
        """What setting this field needs beyond the resource's `write`."""
        asked = (self.column_permissions.get(name), self.field_permissions.get(name))
        return tuple(permission for permission in asked if permission is not None)

    def sets(self, name: str) -> bool:
        """Whether the person may set this field, as far as fields differ."""
        asked = self.asks_for(name)
        if not asked or not has_request_context():
            return True
        return all(may(auth.current_person(), permission) for permission in asked)

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

    @property
    def offered_filters(self) -> tuple[Filter, ...]:
        """The filters on columns that the person may see."""
        return tuple(flt for flt in self.filters if all(map(self.sees, flt.parameters)))

    def export_columns(self) -> tuple[str, ...]:
        """The columns of the export."""
        return tuple(filter(self.sees, self.column_export_list))

    # ---- verbs -----------------------------------------------------------------------------

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
