"""The rules of single fields."""

import string
from uuid import UUID, uuid4

import ada_url
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adminsite.errors import InvalidError
from adminsite.operations import rules

ANY_TEXT = st.text(max_size=120)
SLUG_LETTERS = string.ascii_lowercase + string.digits


def refusal(rule: rules.Rule, value: object) -> str:
    with pytest.raises(ValueError, match=r".") as refused:
        rule(value)
    return str(refused.value)


class TestSlug:
    @pytest.mark.parametrize("slug", ["a", "0", "a-b", "a--b", "015", "null", "a" * 100])
    def test_takes_what_the_service_can_route(self, slug: str) -> None:
        assert rules.slug(slug) == slug

    @pytest.mark.parametrize(
        ("slug", "said"),
        [
            ("", "Give a slug"),
            (None, "Give a slug"),
            ("a" * 101, "101 characters; 100 is the limit"),
            ("-a", "begins and ends with a letter or digit"),
            ("a-", "begins and ends with a letter or digit"),
            ("A", "lower-case letters"),
            (" a", "lower-case letters"),
            ("a\n", "lower-case letters"),
            ("ä", "lower-case letters"),
            ("١", "lower-case letters"),
            ("a\x00", "control character"),
            (5, "must be text"),
        ],
    )
    def test_refuses_others(self, slug: object, said: str) -> None:
        assert said in refusal(rules.slug, slug)

    @pytest.mark.parametrize("slug", sorted(rules.RESERVED_SLUGS))
    def test_refuses_routes_of_the_service(self, slug: str) -> None:
        assert "route of the go-links service" in refusal(rules.slug, slug)

    @given(st.text(SLUG_LETTERS + "-", min_size=1, max_size=110))
    def test_follows_its_pattern(self, slug: str) -> None:
        fits = slug[0] != "-" and slug[-1] != "-" and len(slug) <= 100
        try:
            taken = rules.slug(slug) == slug
        except ValueError:
            taken = False

        assert taken == (fits and slug not in rules.RESERVED_SLUGS)


class TestKeyword:
    @pytest.mark.parametrize("word", ["g", "42", "a.b_c-", "a" * 64])
    def test_takes_words(self, word: str) -> None:
        assert rules.keyword(word) == word

    @pytest.mark.parametrize("word", ["", ".net", "C", "c++", "d&d", "я", "a" * 65])
    def test_refuses_others(self, word: str) -> None:
        assert refusal(rules.keyword, word)


class TestUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "http://a",
            "HTTPS://Example.COM/",
            "https://example.com:8443/a?b=c#d",
            "https://localhost/",
            "https://[::1]/",
            "http://127.0.0.1",
            "https://bücher.example/ü?q=ü",
            "https://example.com/a@b",
            "https://example.com/" + "a" * 8172,
        ],
    )
    def test_takes_addresses_as_given(self, url: str) -> None:
        assert rules.url(url) == url

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("", "Give a URL"),
            (None, "Give a URL"),
            (7, "Give a URL"),
            ("https://example.com/" + "a" * 8173, "8,193 characters; 8,192 is the limit"),
            ("https://example.com/a b", "white space"),
            (" https://example.com", "white space"),
            ("https://example.com/\u00a0", "white space"),
            ("https://example.com/\x7f", "white space"),
            ("https://example.com/\ud800", "white space"),
            ("example.com", "not absolute"),
            ("//example.com", "not absolute"),
            ("/search", "not absolute"),
            ("javascript:alert(1)", "Only http and https"),
            ("mailto:a@example.com", "Only http and https"),
            ("http:example.com", "no host"),
            ("http:/example.com", "no host"),
            ("http:///example.com", "no host"),
            ("http:\\\\example.com", "no host"),
            ("http://", "no host"),
            ("http://:80/", "no host"),
            ("http://@/", "no host"),
            ("https://a:b@example.com", "user name or password"),
            ("https://@example.com", "user name or password"),
            ("https://example.com:port/", "host and port"),
            ("https://example.com:99999/", "host and port"),
            ("https://256.256.256.256/", "host and port"),
            ("https://[::1/", "host and port"),
            ("https://a%00b/", "host and port"),
        ],
    )
    def test_refuses_others(self, url: object, said: str) -> None:
        assert said in refusal(rules.url, url)

    @given(st.one_of(ANY_TEXT, ANY_TEXT.map("https://".__add__), ANY_TEXT.map("http:/".__add__)))
    def test_what_is_taken_is_an_absolute_address_to_a_browser(self, text: str) -> None:
        try:
            url = rules.url(text)
        except ValueError:
            return

        parsed = ada_url.URL(url)
        assert parsed.protocol in {"http:", "https:"}
        assert (parsed.username, parsed.password) == ("", "")
        assert parsed.host


class TestUrlTemplate:
    @pytest.mark.parametrize(
        "template",
        [
            "https://example.com/{slug}",
            "https://{slug}.example.com/",
            'https://example.com/?q={"query":"{slug}"}',
            "https://example.com/{{slug}}",
        ],
    )
    def test_takes_any_place_and_other_braces(self, template: str) -> None:
        assert rules.url_template(template) == template

    @pytest.mark.parametrize("template", ["https://example.com/", "https://example.com/{SLUG}"])
    def test_needs_the_placeholder(self, template: str) -> None:
        assert "must contain {slug}" in refusal(rules.url_template, template)

    def test_keeps_the_rules_of_a_url(self) -> None:
        assert "not absolute" in refusal(rules.url_template, "/search?q={slug}")

    def test_expands_every_placeholder_and_nothing_else(self) -> None:
        template = 'https://example.com/{slug}?q={"id":"{slug}"}'

        expanded = rules.expand(template, "a b/ü{x}")

        assert expanded == (
            'https://example.com/a%20b%2F%C3%BC%7Bx%7D?q={"id":"a%20b%2F%C3%BC%7Bx%7D"}'
        )


class TestTexts:
    def test_strip_and_empty_is_none(self) -> None:
        assert rules.title("  A title ") == "A title"
        assert rules.title("   ") is None
        assert rules.description(None) is None

    def test_line_ends_become_plain_ones(self) -> None:
        assert rules.description("a\r\nb\rc\td") == "a\nb\nc\td"

    def test_lengths_are_code_points(self) -> None:
        assert rules.title("🙂" * 200) == "🙂" * 200
        assert "201 characters; 200" in refusal(rules.title, "🙂" * 201)
        assert "2,001 characters; 2,000" in refusal(rules.description, "a" * 2001)

    @pytest.mark.parametrize("text", ["a\x00", "a\x1f", "a\x85", "\udc80"])
    def test_control_characters_are_refused(self, text: str) -> None:
        assert "control character" in refusal(rules.description, text)

    @pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\u2028b"])
    def test_a_title_is_one_line(self, text: str) -> None:
        assert "one line" in refusal(rules.title, text)


class TestTags:
    def test_names_that_fold_together_are_one_and_the_first_stays(self) -> None:
        assert rules.tags(["PHP", "php", " Php "]) == ["PHP"]
        assert rules.tags(["Straße", "STRASSE"]) == ["Straße"]

    def test_signs_and_scripts_are_kept_apart(self) -> None:
        assert rules.tags("C;C#;C++;人工知能") == ["C", "C#", "C++", "人工知能"]

    def test_white_space_inside_is_one_space(self) -> None:
        assert rules.tags(["a   b", "A b"]) == ["a b"]

    def test_blank_parts_are_dropped(self) -> None:
        assert rules.tags(" ;; a;") == ["a"]
        assert rules.tags(None) == []

    def test_thirty_is_the_limit(self) -> None:
        assert len(rules.tags([str(n) for n in range(30)])) == 30
        assert "at most 30 tags; these are 31" in refusal(rules.tags, [str(n) for n in range(31)])

    @pytest.mark.parametrize("name", ["a" * 101, "a\x00b", "a\nb", "\u200b", "a;b", "", None])
    def test_a_name_is_visible_short_and_one_line(self, name: str | None) -> None:
        assert refusal(rules.tag, name)

    @given(st.lists(st.text(max_size=20), max_size=5))
    def test_what_is_taken_is_taken_again_unchanged(self, names: list[str]) -> None:
        try:
            taken = rules.tags(names)
        except ValueError:
            return

        assert rules.tags(";".join(taken)) == taken
        assert len({rules.fold(name) for name in taken}) == len(taken)


class TestOwners:
    def test_each_counts_once_in_the_order_given(self) -> None:
        one, two = uuid4(), uuid4()

        assert rules.owners([one, str(two), one]) == [one, two]

    @pytest.mark.parametrize("owners", [None, [], "", "ann@example.com", 5])
    def test_there_is_at_least_one(self, owners: object) -> None:
        assert "at least one owner" in refusal(rules.owners, owners)

    def test_each_is_a_person(self) -> None:
        assert "choose one" in refusal(rules.owners, ["ann@example.com"])

    def test_fifty_is_the_limit(self) -> None:
        assert "at most 50" in refusal(rules.owners, [UUID(int=n) for n in range(51)])


class TestPeople:
    @pytest.mark.parametrize("email", ["a@b", "Ann.O'Neil+x@Example.com", "ü@bücher.example"])
    def test_addresses_are_kept_as_given(self, email: str) -> None:
        assert rules.email(f" {email} ") == email

    @pytest.mark.parametrize(
        "email",
        ["", "a", "@b", "a@", "a@b@c", "a b@c", "a;b@c", "a@" + "b" * 253, "İ" * 130 + "@b"],
    )
    def test_others_are_refused(self, email: str) -> None:
        assert refusal(rules.email, email)

    def test_a_name_is_visible(self) -> None:
        assert rules.display_name(" Ann ") == "Ann"
        assert refusal(rules.display_name, " \u200b ") == "Give a name."

    def test_a_role_is_one_of_two(self) -> None:
        assert (rules.role(""), rules.role("admin")) == ("user", "admin")
        assert refusal(rules.role, "owner") == "The role is one of user, admin."


class TestCheck:
    def test_gathers_all_refusals(self) -> None:
        with pytest.raises(InvalidError) as refused:
            rules.check(
                {"slug": "A", "title": "ok", "size": 1}, {"slug": rules.slug, "title": rules.title}
            )

        assert set(refused.value.fields) == {"slug", "size"}
        assert refused.value.fields["size"] == "There is no field called `size` here."

    def test_a_new_record_needs_all_it_needs(self) -> None:
        with pytest.raises(InvalidError) as refused:
            rules.complete({}, {"slug": rules.slug, "title": rules.title})

        assert set(refused.value.fields) == {"slug"}

    def test_a_fixed_field_may_be_sent_unchanged(self) -> None:
        rule = rules.fixed("slug", "jira")

        assert rule("jira") == "jira"
        assert "is fixed" in refusal(rule, "jura")
