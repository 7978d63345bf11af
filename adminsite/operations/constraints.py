"""What a violated constraint says to the person whose change met it.

The operations check first; these speak when two people were equally fast.

Source: style section 6 (the last line of defence).
"""

import re

from sqlalchemy.exc import IntegrityError

MESSAGES: dict[str, tuple[str, str]] = {
    "uq_links_slug": ("slug", "A link with this slug was made a moment ago. Choose another slug."),
    "uq_keywords_keyword": ("keyword", "This keyword was taken a moment ago. Choose another."),
    "uq_tags_slug": ("name", "A tag of this name was made a moment ago. Save again to use it."),
    "uq_users_email_key": ("email", "A person with this e-mail address was added a moment ago."),
    "uq_admins_user_id": ("email", "This person was made staff a moment ago."),
    "uq_link_owners_one_primary": ("owners", "Somebody else was made primary owner a moment ago."),
    "pk_link_owners": ("owners", "This person was made an owner a moment ago."),
    "pk_link_tags": ("tags", "One of these tags was put on the link a moment ago. Save again."),
    "fk_link_owners_user_id_users": ("owners", "One of these people was deleted a moment ago."),
    "fk_link_owners_link_id_links": ("owners", "The link was deleted a moment ago."),
    "fk_link_tags_tag_id_tags": ("tags", "One of these tags was deleted a moment ago. Save again."),
    "fk_link_tags_link_id_links": ("tags", "The link was deleted a moment ago."),
    "uq_credit_transactions_reverses_id": ("entry", "This entry was reversed a moment ago."),
    "ck_keywords_url_template": ("url_template", "The URL template must contain {slug}."),
}
# SQLite names the columns and not the constraint.
SQLITE_FORMS = {
    "uq_links_slug": "links.slug",
    "uq_keywords_keyword": "keywords.keyword",
    "uq_tags_slug": "tags.slug",
    "uq_users_email_key": "users.email_key",
    "uq_admins_user_id": "admins.user_id",
    "uq_link_owners_one_primary": "link_owners.link_id",
    "uq_credit_transactions_reverses_id": "credit_transactions.reverses_id",
    "pk_link_owners": "link_owners.link_id, link_owners.user_id",
    "pk_link_tags": "link_tags.link_id, link_tags.tag_id",
}
_SQLITE = re.compile(r"(?:UNIQUE|CHECK) constraint failed: (.+)")


def explain(error: IntegrityError) -> tuple[str, str] | None:
    """The field a database refusal is about, and a sentence; None when it is not known here."""
    told = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    if told is None and (match := _SQLITE.search(str(error.orig))):
        told = next((name for name in MESSAGES if sqlite_form(name) == match[1]), None)
    return MESSAGES.get(told) if told else None


def sqlite_form(name: str) -> str:
    """What SQLite calls the constraint in its message."""
    return SQLITE_FORMS.get(name, name)
