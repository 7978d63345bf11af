"""What a route takes and answers: said beside it, read by the OpenAPI document."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from adminsite.api.contracts import Contract

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb at one address.

    Attributes:
        tag: the subject it belongs to.
        gives: the contract of `data`, by status.
        asks: the contract of the query.
        takes: the contract of the body.
        keyed: whether `Idempotency-Key` is honoured.
    """

    tag: str
    gives: Mapping[int, type[Contract]]
    asks: type[Contract] | None = None
    takes: type[Contract] | None = None
    keyed: bool = False


_operations: dict[Callable[..., Any], Operation] = {}


def described(operation: Operation) -> Callable[[View], View]:
    """Say of a view what it takes and answers."""

    def keep(view: View) -> View:
        _operations[view] = operation
        return view

    return keep


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """What a view takes and answers; None when nobody said."""
    return _operations.get(view)
