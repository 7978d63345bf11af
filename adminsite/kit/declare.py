"""Start-up checks: a view that names a column that is not there does not start."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from sqlalchemy import inspect

from adminsite.kit.access import UndeclaredError

MUST_DECLARE = ("column_list", "form_columns", "column_details_list", "column_export_list")
BANNED_HOOKS = ("on_model_change", "after_model_change", "on_model_delete", "inline_models")


def check(view: Any) -> None:
    """Refuse to start a view whose declaration is incomplete or names unknown columns.

    Raises:
        UndeclaredError: naming the view, the attribute, the column and the nearest real one.
    """
    name = type(view).__name__
    for attribute in MUST_DECLARE:
        if not getattr(view, attribute):
            message = f"{name} declares no {attribute}. Nothing is shown that is not declared."
            raise UndeclaredError(message)
    mapped = set(inspect(view.model).column_attrs.keys()) | set(view.list_columns)
    loaded = mapped | set(view.list_loaders)
    fields = mapped | set(view.form_extra_fields or ())
    for attribute, known in (
        ("column_list", loaded),
        ("column_details_list", loaded),
        ("row_also", mapped),
        ("column_export_list", loaded),
        ("column_sortable_list", mapped),
        ("column_editable_list", mapped & set(view.resource.fields)),
        ("edit_row_columns", set(view.resource.fields)),
        ("form_columns", fields & set(view.resource.fields)),
        ("column_searchable_list", mapped | set(view.search_also)),
    ):
        _all_known(name, attribute, getattr(view, attribute) or (), known)
    _searched_as_stored(name, view)
    hidden = set(view.column_permissions) & set(view.column_searchable_list)
    if hidden:
        message = f"{name} lets everybody search {sorted(hidden)}, which not everybody may see."
        raise UndeclaredError(message)


def _all_known(view: str, attribute: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(str(name), sorted(known), n=1, cutoff=0.4)
            hint = f" Did you mean {near[0]!r}?" if near else f" Known are {sorted(known)}."
            message = f"{view}.{attribute} names {name!r}, which does not exist.{hint}"
            raise UndeclaredError(message)


def _searched_as_stored(name: str, view: Any) -> None:
    own = tuple(c for c in view.column_searchable_list if c not in view.search_also)
    stored = tuple(getattr(view.model, "__searchable__", ()))
    if own and view.search_column is None and set(own) != set(stored):
        message = (
            f"{name}.column_searchable_list holds {own}, but {view.model.__name__} keeps "
            f"{stored} ready for searching. Make its __searchable__ the same."
        )
        raise UndeclaredError(message)
