"""A go-links service of any size, the same for the same seed."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from adminsite.models import SEARCH_SEPARATOR

Row: TypeAlias = tuple[Any, ...]
Batch: TypeAlias = tuple[str, Iterable[Row]]

# Parents before children: rows are written in this order.
COLUMNS: dict[str, tuple[str, ...]] = {
    table: tuple(columns.split())
    for table, columns in {
        "users": "id email email_key display_name role search_text created_at updated_at version",
        "tags": "id name slug search_text created_at version",
        "links": "id slug url title description search_text created_at updated_at version",
        "link_owners": "link_id user_id is_primary created_at",
        "link_tags": "link_id tag_id",
        "keywords": "id keyword url_template description search_text created_at updated_at version",
        "subscriptions": "id user_id status tier cancel_at_period_end canceled_at "
        "created_at updated_at",
        "credit_transactions": "id user_id user_email amount balance_after type created_at",
    }.items()
}
TAG_COUNT = 300
KEYWORD_COUNT = 500
EPOCH = datetime(2021, 3, 1, 8, tzinfo=UTC)
LINK_GAP = timedelta(minutes=2, seconds=30)
BATCH_ROWS = 20_000
RARE_WORD = "jira"
RARE_SHARE = 0.001

_WORDS = """
    access alarm album anchor archive arena audio badge balance banner barrel basket bench bicycle
    birch blanket blog bonus booking border bottle branch breakfast brick bundle cabin cable camera
    canvas carbon cargo carpet cedar ceramic chair channel chapter charter cinema circle clinic
    clock cloud coffee comet copper corner cotton courier cradle crane cricket crystal curtain
    dairy dance delta dinner doctor dragon drum eagle easel echo elbow ember emerald engine
    envelope fabric factory falcon farm feather fence ferry festival field filter flag flame
    flute forest fossil fountain garage garden ginger glacier globe granite grape guitar
    hammer hangar harbor harvest hazel helmet hill honey horizon hotel island ivory jacket jungle
    kettle kitchen kite ladder lagoon lamp lantern laptop lemon lever lichen linen lobby magnet
    maple marble meadow mirror mosaic motor mountain museum needle nectar oasis ocean olive onion
    orchard organ oxygen paddle palette panda paper parade pebble pencil pepper piano pillow pilot
    planet plaza pocket pond poppy prairie prism pump puzzle quarry quartz quilt raft railway rain
    ribbon river robin rocket saddle saffron sail salmon satin saturn school scooter shadow shelf
    silver sketchbook snow spice spiral sponge spoon stable stadium statue studio summit sunset
    tablet tango teapot tempo terrace thistle thunder tiger timber tomato torch tower trumpet
    tulip tunnel turbine umbrella valley vanilla velvet village violin volcano wagon walnut water
    wheel willow window winter wizard workshop yacht yarn yellow zebra zenith zinc
"""
HOSTS = (
    "intranet.example.com",
    "handbook.example.com",
    "files.example.org",
    "boards.example.org",
    "charts.example.net",
    "people.example.net",
)
_GIVEN_NAMES = """
    Alba Amir Anouk Arlo Birte Bruno Carla Cedric Daria Dmitri Edith Enzo Farida Finn Gitte Goran
    Hilda Hiro Imani Isak Joana Jonas Keiko Kofi Lars Leila Malik Marta Nadia Nico Oskar Paloma
    Ravi Rhea Selma Sven Tariq Thea Umar Valeria Wanda Xenia Yusuf Zelda
"""
_FAMILY_NAMES = """
    Almeida Andersen Baptiste Becker Castillo Cohen Dubois Duran Egger Eriksson Fontaine Friis
    Gruber Gupta Hansen Hoang Ibrahim Ivanova Jansen Kaya Keller Kowalski Laurent Lindqvist Mbeki
    Mendes Nakamura Nilsen Oliveira Osei Petrov Quinn Ramos Romero Schmidt Silva Takeda Toure
    Ullman Varga Wagner Wirth Yamada Ziegler
"""


WORDS = tuple(_WORDS.split())
GIVEN_NAMES = tuple(_GIVEN_NAMES.split())
FAMILY_NAMES = tuple(_FAMILY_NAMES.split())


class LinkTexts(NamedTuple):
    """What people wrote of one link."""

    slug: str
    url: str
    title: str | None
    description: str | None


class Dataset:
    """Every row of the data, table by table, drawn from one seeded stream.

    Attributes:
        link_count: how many links.
        user_count: one person per twenty links, at least fifty.
        big_owner_links: how many links the first person is the primary owner of.
    """

    def __init__(self, links: int, seed: int = 20) -> None:
        self.link_count = links
        self.user_count = max(50, links // 20)
        self.big_owner_links = min(10_000, links // 10)
        self._random = Random(seed)

    def batches(self) -> Iterator[Batch]:
        """Tables and rows, in the order in which foreign keys allow them."""
        people = [
            UUID(int=self._random.getrandbits(128), version=4) for _ in range(self.user_count)
        ]
        yield "users", [self._user(number, person) for number, person in enumerate(people)]
        yield "tags", [_tag(number) for number in range(TAG_COUNT)]
        for first in range(0, self.link_count, BATCH_ROWS):
            yield from self._links(range(first, min(first + BATCH_ROWS, self.link_count)), people)
        yield "keywords", [self._keyword(number) for number in range(KEYWORD_COUNT)]

    def _user(self, number: int, person: UUID) -> Row:
        choice = self._random.choice
        given, family = choice(GIVEN_NAMES), choice(FAMILY_NAMES)
        joined = EPOCH - timedelta(minutes=self._random.randrange(500_000))
        email = f"{given}.{family}.{number}@example.com"
        return user_row(person, email, f"{given} {family}", joined)

    def _links(self, numbers: range, people: list[UUID]) -> Iterator[Batch]:
        links: list[Row] = []
        owners: list[Row] = []
        tags: list[Row] = []
        for number in numbers:
            created = EPOCH + number * LINK_GAP + timedelta(microseconds=number % 1_000_000)
            links.append(self._link(number, created))
            owners.extend(
                (number + 1, person, position == 0, created)
                for position, person in enumerate(self._owners(number, people))
            )
            tags.extend((number + 1, tag) for tag in self._tags())
        yield "links", links
        yield "link_owners", owners
        yield "link_tags", tags

    def _link(self, number: int, created: datetime) -> Row:
        first, second, third, fourth, fifth = self._random.choices(WORDS, k=5)
        if self._random.random() < RARE_SHARE:
            second = RARE_WORD
        slug = f"{first}-{second}-{number}"
        url = f"https://{self._random.choice(HOSTS)}/{third}/{second}/{number * 7919}?tab={fourth}"
        title = f"{first.title()} {second} {third}"
        described = self._random.random() < 0.75
        description = f"Where the {third} team keeps the {second} {fifth}." if described else None
        return link_row(number + 1, LinkTexts(slug, url, title, description), created)

    def _owners(self, number: int, people: list[UUID]) -> list[UUID]:
        mine = number * self.big_owner_links // self.link_count
        before = (number - 1) * self.big_owner_links // self.link_count
        pick = self._random.randrange
        chosen = [people[0] if mine > before else people[pick(1, len(people))]]
        chosen += [people[pick(1, len(people))] for _ in range(pick(3))]
        return list(dict.fromkeys(chosen))

    def _tags(self) -> list[int]:
        return self._random.sample(range(1, TAG_COUNT + 1), self._random.randrange(5))

    def _keyword(self, number: int) -> Row:
        word, host = self._random.choice(WORDS), self._random.choice(HOSTS)
        template = f"https://{host}/{word}?find={{slug}}"
        made = EPOCH + timedelta(hours=number)
        return keyword_row(number + 1, f"{word}{number}", template, f"Finds a {word}", made)


def user_row(person: UUID, email: str, name: str, joined: datetime) -> Row:
    """One row of users, a plain member."""
    text = searchable(email, name)
    return person, email, email.lower(), name, "user", text, joined, joined, 1


def tag_row(number: int, name: str) -> Row:
    """One row of tags."""
    return number, name, name.casefold(), searchable(name), EPOCH, 1


def link_row(number: int, texts: LinkTexts, made: datetime) -> Row:
    """One row of links."""
    text = searchable(texts.slug, texts.url, texts.title)
    return number, *texts, text, made, made, 1


def keyword_row(
    number: int, keyword: str, template: str, description: str | None, made: datetime
) -> Row:
    """One row of keywords."""
    text = searchable(keyword, template, description)
    return number, keyword, template, description, text, made, made, 1


def searchable(*parts: str | None) -> str:
    """What the search looks through, as the application stores it."""
    return SEARCH_SEPARATOR.join((part or "").lower() for part in parts)


def _tag(number: int) -> Row:
    return tag_row(number + 1, f"{WORDS[number % 20]} {WORDS[20 + number // 20]}".title())
