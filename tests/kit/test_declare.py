"""What a view must say before it starts, and what it is told when it does not."""

from typing import Any

import pytest
from flask_admin import expose

from adminsite.kit import PageView, ResourceView
from adminsite.kit.access import UndeclaredError
from adminsite.permissions import Permission
from adminsite.resources import KEYWORDS
from adminsite.views.links import LinkView


def view_of(**declared: Any) -> type[ResourceView]:
    """A view of keywords that declares enough, and this."""
    enough = {"resource": KEYWORDS, "column_list": ("keyword", "created_at")}
    return type("WordView", (ResourceView,), {**enough, **declared})


class TestClosed:
    def test_a_view_that_declares_enough_starts(self) -> None:
        assert view_of()().url == "keywords"

    def test_a_view_without_a_resource_does_not_start(self) -> None:
        class Bare(ResourceView):
            column_list = ("keyword",)

        with pytest.raises(UndeclaredError, match="Bare declares no resource"):
            Bare()

    def test_a_page_without_a_permission_does_not_start(self) -> None:
        class Page(PageView):
            @expose("/")
            def index(self) -> str:
                return "open to all"

        with pytest.raises(UndeclaredError, match="Page declares no permission"):
            Page()

    def test_an_added_route_without_a_permission_is_named(self) -> None:
        @expose("/secret")
        def reveal(self: ResourceView) -> str:
            return "secret"

        with pytest.raises(UndeclaredError, match=r"WordView\.reveal .* without a permission"):
            view_of(reveal=reveal)()

    def test_an_added_route_with_its_permission_starts(self) -> None:
        @expose("/secret")
        def reveal(self: ResourceView) -> str:
            return "secret"

        view = view_of(reveal=reveal, route_permissions={"reveal": Permission.KEYWORDS_READ})()

        assert ("/secret", "reveal", ("GET",)) in view._urls  # noqa: SLF001

    def test_a_view_shows_no_column_that_it_does_not_name(self) -> None:
        with pytest.raises(UndeclaredError, match="WordView declares no column_list"):
            view_of(column_list=())()

    def test_a_form_offers_no_field_that_the_resource_does_not_name(self) -> None:
        with pytest.raises(UndeclaredError, match=r"form_columns names 'created_at'"):
            view_of(form_columns=("keyword", "created_at"))()

    def test_a_relation_is_never_loaded_as_a_whole(self) -> None:
        view = type("Loose", (LinkView,), {"form_extra_fields": {}})

        with pytest.raises(UndeclaredError, match=r"tags|owners"):
            view()

    def test_a_relation_in_a_row_needs_a_field_of_its_own(self) -> None:
        loose = {"form_columns": ("url",), "form_extra_fields": {}, "edit_row_columns": ("tags",)}
        view = type("Loose", (LinkView,), loose)()

        with pytest.raises(TypeError, match=r"Link\.tags is a relation: declare it"):
            view.form_for(view.row_fields)


@pytest.mark.parametrize(
    ("attribute", "names", "wrong", "near"),
    [
        ("column_list", ("keyword", "descripton"), "descripton", "description"),
        ("column_details_list", ("keyward",), "keyward", "keyword"),
        ("column_export_list", ("url_templat",), "url_templat", "url_template"),
        ("column_sortable_list", ("created",), "created", "created_at"),
        ("column_editable_list", ("descriptions",), "descriptions", "description"),
        ("edit_row_columns", ("url_tempate",), "url_tempate", "url_template"),
        ("form_columns", ("keywrod",), "keywrod", "keyword"),
        ("column_searchable_list", ("keyword", "url_template", "descr"), "descr", "description"),
    ],
)
def test_a_misspelt_name_is_told_with_the_nearest_real_one(
    attribute: str, names: tuple[str, ...], wrong: str, near: str
) -> None:
    expected = rf"WordView\.{attribute} names '{wrong}', .* Did you mean '{near}'\?"

    with pytest.raises(UndeclaredError, match=expected):
        view_of(**{attribute: names})()


def test_a_search_that_tells_of_a_hidden_column_does_not_start() -> None:
    with pytest.raises(UndeclaredError, match=r"lets everybody search \['description'\]"):
        view_of(
            column_searchable_list=("keyword", "url_template", "description"),
            column_permissions={"description": Permission.STAFF_WRITE},
        )()


def test_a_column_of_another_table_holds_tags_where_nothing_else_is_said() -> None:
    view = type("PlainView", (LinkView,), {"column_kinds": {}})()

    assert view.column("owners").kind == "tags"


def test_a_search_over_columns_not_kept_for_it_does_not_start() -> None:
    with pytest.raises(UndeclaredError, match="Make its __searchable__ the same"):
        view_of(column_searchable_list=("keyword",))()


def test_a_name_like_no_other_is_told_with_all_there_are() -> None:
    with pytest.raises(UndeclaredError, match=r"names 'zzz'.* Known are \["):
        view_of(column_list=("zzz",))()
