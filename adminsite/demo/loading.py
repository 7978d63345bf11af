"""Loading the demo data: people of each level, teams, and what they made under the same rules."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Table, bindparam, select, update

from adminsite.audit import AUDITED_DML
from adminsite.db import Base, db, utc_now
from adminsite.demo import money
from adminsite.demo.content import KEYWORDS, SHARED, SYSTEMS, TEAMS, TOPICS
from adminsite.models import Keyword, Link, Tag, User
from adminsite.operations import admins, credentials, keywords, links, tags, users
from adminsite.permissions import SYSTEM, Actor

PASSWORD = "demo-password"  # noqa: S105 - opens demo data only, and is printed at every start
SIGN_INS = {
    "owner@example.com": "owner: everything",
    "admin@example.com": "admin: edits, imports, exports",
    "support@example.com": "support: reads",
    "member@example.com": "not staff: own account only",
}
DAYS = 540  # about 18 months
STEP = 37  # no divisor in common with DAYS: days come in no visible order

People = Mapping[str, User]


def load() -> bool:
    """Load the demo data unless it is there; whether it was loaded now."""
    if admins.find("owner@example.com") is not None:
        return False
    people = _make_people()
    teams = _make_teams(_acting(people["owner"]))
    admin = _acting(people["admin"])
    made = links.create_many(list(_links(teams, people)), by=admin)
    words = keywords.create_many(list(_keywords()), by=admin)
    for rows in ([*people.values(), *teams.values()], made, words, _all_tags()):
        _spread(rows)
    money.load(people["member"], _acting(people["owner"]), admin)
    _work({link.slug: link for link in made}, people, teams)
    return True


def _make_people() -> dict[str, User]:
    """One person of each level, by the word for it."""
    people = {}
    for email in SIGN_INS:
        word = email.partition("@")[0]
        values = {"email": email, "display_name": f"{word.title()} Person"}
        people[word] = user = users.create(values, by=SYSTEM)
        credentials.set_password(user, PASSWORD, by=SYSTEM)
        if word != "member":
            admins.appoint(user, word, by=SYSTEM)
    return people


def _make_teams(by: Actor) -> dict[str, User]:
    """The teams' accounts, by the word in their addresses."""
    values = [
        {"email": f"team-{word}@example.com", "display_name": f"{name} team"}
        for name, word in TEAMS
    ]
    words = [word for _name, word in TEAMS]
    return dict(zip(words, users.create_many(values, by=by), strict=True))


def _links(teams: People, people: People) -> Iterator[dict[str, Any]]:
    for place, (name, word) in enumerate(TEAMS):
        neighbour = TEAMS[place - 1][1]
        for topic, title, url, labels in TOPICS:
            shared = topic in {"roadmap", "vendors", "demo-day"}
            yield {
                "slug": f"{word}-{topic}",
                "url": url.format(team=word),
                "title": f"{name}: {title}",
                "description": f"Kept by the {name} team." if topic == "handbook" else None,
                "tags": f"{labels};{name}",
                "owners": [teams[word].id, *([teams[neighbour].id] if shared else [])],
            }
    for slug, title, url, labels, word in SHARED:
        owners = [teams[word].id, people["member"].id]
        yield {"slug": slug, "url": url, "title": title, "tags": labels, "owners": owners}


def _keywords() -> Iterator[dict[str, Any]]:
    for keyword, template, description in KEYWORDS:
        yield {"keyword": keyword, "url_template": template, "description": description}
    for system, url, kinds in SYSTEMS:
        yield {
            "keyword": system,
            "url_template": f"{url}?q={{slug}}",
            "description": f"Search everything in {system}",
        }
        for kind in kinds:
            yield {
                "keyword": f"{system}-{kind}",
                "url_template": f"{url}?type={kind}&q={{slug}}",
                "description": f"Search {kind} in {system}",
            }


def _work(made: Mapping[str, Link], people: People, teams: People) -> None:
    """Some of what happened since: edits, a new owner, a rename, a deletion."""
    owner, admin = _acting(people["owner"]), _acting(people["admin"])
    links.update(made["lunch"], {"title": "What is for lunch this week"}, by=admin)
    links.update(made["wifi"], {"url": "https://wiki.example.com/office/wifi-guests"}, by=owner)
    links.update(made["status"], {"tags": ["On-call", "Daily", "Platform"]}, by=admin)
    links.update(made["nda"], {"description": "Sign it before the first call."}, by=admin)
    links.transfer(made["talks"], teams["design"], by=owner)
    links.add_owner(made["prices"], teams["accounts"], by=admin)
    links.remove_owner(made["party"], people["member"], by=admin)
    links.delete(made["research-archive"], by=owner)
    brand = db.session.scalars(select(Tag).where(Tag.slug == "brand")).one()
    tags.update(brand, {"name": "Brand and press"}, by=owner)
    word = db.session.scalars(select(Keyword).where(Keyword.keyword == "colleague")).one()
    keywords.update(word, {"description": "Find a colleague by name or team"}, by=admin)


def _spread(rows: Sequence[Base]) -> None:
    """Let the rows have been made over the last months; their events tell of them already."""
    table = cast("Table", rows[0].__table__)
    dates = [name for name in ("created_at", "updated_at") if name in table.c]
    statement = (
        update(table)
        .where(table.c.id == bindparam("key"))
        .values({name: bindparam("moment") for name in dates})
    )
    now = utc_now()
    moments = [
        {"key": row.id, "moment": now - timedelta(days=place * STEP % DAYS, minutes=7 * place)}  # type: ignore[attr-defined]
        for place, row in enumerate(rows)
    ]
    db.session.execute(statement, moments, execution_options={AUDITED_DML: True})
    db.session.expire_all()


def _all_tags() -> Sequence[Tag]:
    return db.session.scalars(select(Tag)).all()


def _acting(user: User) -> Actor:
    return Actor(id=user.id, email=user.email, name=user.display_name, level=user.level)
