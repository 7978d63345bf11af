"""Forms: scaffolded from the model by Flask-Admin, with fields that need no script of theirs.

Rules are not here: the operation checks them, whichever way the values came in. A form only
turns what was typed into values, and shows the operation's messages.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from flask_admin.contrib.sqla.form import AdminModelConverter, get_form
from flask_admin.form import BaseForm
from sqlalchemy.orm import Session
from wtforms import DateField, DateTimeLocalField, Field, Form, IntegerField, StringField
from wtforms.validators import Optional
from wtforms.widgets import TextInput

TAG_SEPARATOR = ";"
AnyForm = TypeVar("AnyForm", bound=Form)


class Required:
    """Marks a field as required in words; the operation is what refuses."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __call__(self, form: object, field: object) -> None:
        """Nothing to check here."""


class TagsField(Field):
    """Several words: repeated inputs, or one text with `;` between them when typed by hand."""

    widget = TextInput()

    def process_formdata(self, valuelist: list[str]) -> None:
        """Collect the words of every input, without empty ones; what was not sent stays."""
        if not valuelist:
            return
        words = [word.strip() for text in valuelist for word in text.split(TAG_SEPARATOR)]
        self.data = list(dict.fromkeys(word for word in words if word))

    def process_data(self, value: Any) -> None:
        """Show records by their names."""
        self.data = [str(item) for item in value or ()]

    def _value(self) -> str:
        return f"{TAG_SEPARATOR} ".join(self.data or ())


class LookupField(StringField):
    """One record of another table, found by searching on the server; the table is never loaded.

    Attributes:
        lookup: the name of the view's `form_lookups` entry that finds records.
        text: what to show for the value chosen.
    """

    def __init__(self, *args: Any, lookup: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lookup = lookup
        self.text = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One record a picker offers."""

    value: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds records for a picker: at most `LIMIT`, by a searched text.

    Attributes:
        find: (session, term, limit) to the options that match, best first.
    """

    LIMIT: ClassVar[int] = 20
    find: Callable[[Session, str, int], Sequence[Option]]


class Converter(AdminModelConverter):
    """Flask-Admin's converter, with native date inputs and without rules of its own."""

    def convert(self, model: Any, mapper: Any, name: str, prop: Any, *rest: Any) -> Any:
        """The form field of a mapped column; relations need a field declared by hand."""
        if hasattr(prop, "direction"):
            message = (
                f"{model.__name__}.{name} is a relation: declare it in form_extra_fields "
                "with a LookupField or TagsField, so that no whole table is loaded."
            )
            raise TypeError(message)
        unbound: Any = super().convert(model, mapper, name, prop, *rest)
        if unbound is None or not hasattr(prop, "columns"):
            return unbound
        column = prop.columns[0]
        required = not column.nullable and column.default is None
        unbound.kwargs["validators"] = [Required() if required else Optional()]
        unbound.kwargs.pop("filters", None)
        kind = column.type.python_type.__name__
        native = {"datetime": DateTimeLocalField, "date": DateField, "int": IntegerField}
        if kind in native and not unbound.kwargs.get("choices"):
            unbound.kwargs.pop("widget", None)
            unbound.field_class = native[kind]
        length = getattr(column.type, "length", None)
        if length:
            unbound.kwargs["render_kw"] = {"maxlength": length}
        return unbound


class ResourceForm(BaseForm):
    """The base of every form; CSRF is checked for the whole application, not here."""


def build(view: Any, names: Sequence[str]) -> type[ResourceForm]:
    """A form class with these fields of the view's model, in this order."""
    args: Any = {
        name: {
            "label": view.get_column_name(name),
            "description": view.form_help.get(name, ""),
            **view.form_args.get(name, {}),
        }
        for name in names
    }
    form: type[ResourceForm] = get_form(
        view.model,
        Converter(view.session, view),
        base_class=ResourceForm,
        only=tuple(names),
        field_args=args,
        extra_fields=view.form_extra_fields,
    )
    return form


def marked(form: AnyForm, fields: Mapping[str, str]) -> AnyForm:
    """The form with the messages of a refusal at its fields."""
    for name, why in fields.items():
        if name in form:
            form[name].errors = [why]
    return form
