"""The low-code engine: screens over resources. It knows no table and no rule of ours."""

from adminsite.kit.access import PageView
from adminsite.kit.columns import Chip, Person
from adminsite.kit.filters import CaseFilter, ChoiceFilter, DayFilter, LookupFilter, TextFilter
from adminsite.kit.forms import Lookup, LookupField, TagsField
from adminsite.kit.view import ResourceView

__all__ = [
    "CaseFilter",
    "Chip",
    "ChoiceFilter",
    "DayFilter",
    "Lookup",
    "LookupField",
    "LookupFilter",
    "PageView",
    "Person",
    "ResourceView",
    "TagsField",
    "TextFilter",
]
