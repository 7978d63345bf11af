"""The keywords screen: the preview of a template."""

from collections.abc import Callable

import pytest

from tests.client import SiteClient

ClientAs = Callable[[str], SiteClient]


@pytest.fixture
def tab(client_as: ClientAs) -> SiteClient:
    return client_as("support")


def preview(tab: SiteClient, template: str, sample: str = "") -> str:
    query = {"url_template": template, "sample": sample}
    answer = tab.get("/admin/keywords/preview", query_string=query, htmx=True)
    assert answer.status_code == 200
    return answer.text


class TestPreview:
    def test_expands_the_template(self, tab: SiteClient) -> None:
        shown = preview(tab, "https://example.com/?q={slug}&a={b}", "é/ &")

        assert "https://example.com/?q=%C3%A9%2F%20%26&amp;a={b}" in shown

    def test_says_what_is_wrong(self, tab: SiteClient) -> None:
        assert "must contain {slug}" in preview(tab, "https://example.com/")

    def test_of_nothing_says_nothing(self, tab: SiteClient) -> None:
        assert "Give a URL" not in preview(tab, "")

    @pytest.mark.parametrize(
        ("template", "sample"),
        [
            ("\x00", "\x00"),
            ("x" * 10_000, "x" * 10_000),
            ("javascript:{slug}", "alert(1)"),
            ("https://{slug}", "evil.example"),
            ("https://example.com/{slug}", "<script>alert(1)</script>"),
            ('"><script>{slug}', "x"),
        ],
    )
    def test_of_anything_is_harmless(self, tab: SiteClient, template: str, sample: str) -> None:
        shown = preview(tab, template, sample)

        assert "<script" not in shown
        assert 'href="javascript' not in shown
