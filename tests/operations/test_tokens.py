"""API tokens: made, counted, and ended at once."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from adminsite.db import transaction, utc_now
from adminsite.errors import ForbiddenError, InvalidError, MissingError
from adminsite.models import ApiToken, User
from adminsite.operations import tokens, users
from adminsite.operations.sessions import digest
from adminsite.operations.tokens import LIVE_TOKENS, TooManyTokensError
from adminsite.permissions import SYSTEM
from tests.factories import save
from tests.operations.stored import access, actions, events, let_in, refused
from tests.people import acting

NAMED = {"name": "Backup"}


def one_token(user: User) -> ApiToken:
    with transaction():
        return tokens.create(user, NAMED, by=acting(user))[0]


class TestCreate:
    def test_keeps_only_the_hash_and_the_beginning(self, member: User, session: Session) -> None:
        with transaction():
            made, secret = tokens.create(member, NAMED, by=acting(member))

        kept = session.scalars(select(ApiToken)).one()
        assert secret.startswith("adm_")
        assert len(secret) >= 47
        assert (kept, kept.token_hash, kept.prefix) == (made, digest(secret), secret[:10])

    def test_may_write_and_lasts_unless_said_otherwise(self, member: User) -> None:
        made = one_token(member)

        assert (made.name, made.scopes, made.expires_at) == ("Backup", "write", None)

    def test_takes_scope_and_days(self, member: User) -> None:
        values = {"name": " Read ", "scope": "read", "days": "30"}

        with transaction():
            made, _ = tokens.create(member, values, by=acting(member))

        assert (made.name, made.scopes) == ("Read", "read")
        assert made.expires_at == made.created_at + timedelta(days=30)

    def test_is_told_without_the_secret(self, member: User) -> None:
        values = {"name": "Backup", "scope": "read", "days": "1"}
        with transaction():
            made, secret = tokens.create(member, values, by=acting(member))

        (told,) = events()
        assert made.expires_at is not None
        assert (told.action, told.subject_id) == ("token.created", str(member.id))
        assert told.changes == {
            "name": [None, "Backup"],
            "prefix": [None, secret[:10]],
            "scope": [None, "read"],
            "expires_at": [None, made.expires_at.isoformat()],
        }

    def test_without_an_end_tells_of_none(self, member: User) -> None:
        one_token(member)

        assert set(events()[0].changes) == {"name", "prefix", "scope"}

    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"name": ""}, "name"),
            ({"name": None}, "name"),
            ({"name": "a" * 101}, "name"),
            ({"name": "a\nb"}, "name"),
            ({"scope": "all"}, "scope"),
            ({"days": "0"}, "days"),
            ({"days": "3651"}, "days"),
            ({"days": "-1"}, "days"),
            ({"days": "1.5"}, "days"),
            ({"days": "١"}, "days"),
            ({"days": "9" * 5000}, "days"),
            ({"days": 30}, "days"),
            ({"user_id": "x"}, "user_id"),
        ],
    )
    def test_is_refused_for_what_breaks_a_rule(
        self, member: User, values: dict[str, object], field: str
    ) -> None:
        with refused(InvalidError) as refusal:
            tokens.create(member, {**NAMED, **values}, by=acting(member))

        assert set(refusal.value.fields) == {field}

    def test_is_refused_to_who_has_fifty(self, member: User) -> None:
        let_in(member, tokens=LIVE_TOKENS)

        with refused(TooManyTokensError, "50 tokens are the limit. Revoke one first."):
            tokens.create(member, NAMED, by=acting(member))

    def test_counts_neither_ended_ones_nor_those_of_others(
        self, member: User, owner: User, session: Session
    ) -> None:
        let_in(owner, tokens=LIVE_TOKENS)
        let_in(member, tokens=LIVE_TOKENS)
        mine = session.scalars(select(ApiToken).where(ApiToken.user_id == member.id)).all()
        mine[0].revoked_at = mine[1].expires_at = utc_now()
        save()

        one_token(member)
        one_token(member)

        assert len(actions()) == 2

    def test_for_somebody_else_needs_an_owner(self, member: User, admin: User, owner: User) -> None:
        with refused(ForbiddenError, "needs an owner"):
            tokens.create(member, NAMED, by=acting(admin))

        for actor in (acting(owner), SYSTEM):
            with transaction():
                tokens.create(member, NAMED, by=actor)

        assert access(member) == (0, 2)

    def test_for_somebody_deleted_meanwhile_is_refused(self, member: User, owner: User) -> None:
        actor = acting(owner)
        with transaction():
            users.delete(member, by=actor, link_action="delete")

        with refused(MissingError, "This user was deleted meanwhile"):
            tokens.create(member, NAMED, by=actor)


class TestRevoke:
    def test_ends_it_at_once(self, member: User) -> None:
        made = one_token(member)

        with transaction():
            tokens.revoke(made, by=acting(member))

        assert made.revoked_at is not None
        assert access(member) == (0, 0)

    def test_is_told_about_the_person(self, member: User) -> None:
        made = one_token(member)

        with transaction():
            tokens.revoke(made, by=acting(member))

        told = events()[-1]
        assert (told.action, told.subject_id) == ("token.revoked", str(member.id))
        assert told.changes == {"name": ["Backup", None], "prefix": [made.prefix, None]}

    def test_is_fine_when_it_ended_already(self, member: User) -> None:
        made = one_token(member)
        with transaction():
            tokens.revoke(made, by=acting(member))
        ended = made.revoked_at

        with transaction():
            tokens.revoke(made, by=acting(member))

        assert made.revoked_at == ended
        assert actions() == ["token.created", "token.revoked"]

    def test_leaves_the_others(self, member: User) -> None:
        let_in(member, tokens=2)
        made = one_token(member)

        with transaction():
            tokens.revoke(made, by=acting(member))

        assert access(member) == (0, 2)

    def test_of_somebody_elses_needs_an_owner(self, member: User, admin: User, owner: User) -> None:
        made = one_token(member)
        with refused(ForbiddenError):
            tokens.revoke(made, by=acting(admin))

        with transaction():
            tokens.revoke(made, by=acting(owner))

        assert access(member) == (0, 0)

    def test_of_one_that_went_with_its_person_is_refused(self, member: User, owner: User) -> None:
        made, actor = one_token(member), acting(owner)
        with transaction():
            users.delete(member, by=actor, link_action="delete")

        with refused(MissingError, "This token was deleted meanwhile"):
            tokens.revoke(made, by=actor)
