"""What the kit asks a view about its records, with the answer of most; to be overridden."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement

from adminsite.kit.deleting import Once, Question
from adminsite.kit.forms import ResourceForm
from adminsite.kit.listing import Query
from adminsite.kit.view.declared import Declared
from adminsite.permissions import Actor


class Asked(Declared):
    """What a view can answer for itself."""

    # ---- which rows, and what a rule keeps from them ---------------------------------------

    @property
    def missing_text(self) -> str:
        """The sentence for a record that is not there."""
        return f"This {self.singular} does not exist any more."

    def scope(self) -> tuple[ColumnElement[bool], ...]:
        """Conditions on the rows this person may see; applied to every statement."""
        return ()

    def refuses(self, verb: str, row: Any, person: Actor) -> str | None:  # noqa: ARG002
        """Why the person may not "edit" or "delete" this row; None when they may."""
        return None

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

    def objection(self, verb: str, row: Any, person: Actor) -> str | None:
        """Why the operation would refuse this, as a preview says it; None when it would not."""
        return self.refuses(verb, row, person)

    def objections(self, verb: str, rows: Sequence[Any], person: Actor) -> Mapping[Any, str]:
        """The same of many records, by id; to be overridden where that takes statements."""
        said = {row.id: self.objection(verb, row, person) for row in rows}
        return {key: reason for key, reason in said.items() if reason}

    # ---- making and changing a record ------------------------------------------------------

    def make(self, values: dict[str, Any], person: Actor) -> Any:
        """Make a record of a form's values, inside the transaction; the record."""
        return self.resource.operations.create(values, by=person)

    def shown_once(self, row: Any) -> Once | None:  # noqa: ARG002
        """What making the record brought that is never shown again; asked after the commit."""
        return None

    def clean(self, values: dict[str, Any]) -> dict[str, Any]:
        """The values of a form as the operation takes them; a picker's text becomes a key."""
        return values

    def prefill(self, form: ResourceForm, row: Any) -> None:
        """Fill fields that do not come from a column; the form is about to be shown."""

    def sections(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The form's sections; by default one without a heading."""
        return [{"title": "", "about": "", "fields": list(names)}]

    # ---- deleting one ----------------------------------------------------------------------

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

    # ---- what its own templates are drawn from ---------------------------------------------

    def list_context(self, query: Query, *, whole: bool) -> dict[str, Any]:  # noqa: ARG002
        """What the view's own parts of the list are drawn from, beside the rows.

        Args:
            query: what the list shows.
            whole: whether the page is drawn, not the list region alone.
        """
        return {}

    def record_context(self, row: Any) -> dict[str, Any]:  # noqa: ARG002
        """What the record's page is drawn from, beside the record."""
        return {}

    def panel_context(self, row: Any) -> dict[str, Any]:  # noqa: ARG002
        """What the panels below the edit form are drawn from."""
        return {}
