"""Users and their API tokens."""

import click
from flask.cli import AppGroup

from adminsite.cli.edge import sentences
from adminsite.db import transaction
from adminsite.errors import ForbiddenError
from adminsite.models import ApiToken, User
from adminsite.operations import admins
from adminsite.operations import tokens as token_operations
from adminsite.operations import users as user_operations
from adminsite.permissions import SYSTEM, Actor
from adminsite.queries.deletion import DeletionPlan

users = AppGroup("users", help="People who are no staff.")
tokens = AppGroup("tokens", help="Keys for scripts.")


@users.command("delete")
@click.argument("email")
@click.option(
    "--link-action",
    required=True,
    type=click.Choice(user_operations.LINK_ACTIONS),
    help="What becomes of the links they are primary owner of.",
)
@click.option(
    "--as", "owner_email", required=True, metavar="EMAIL", help="Who deletes, and takes links over."
)
def delete_user(email: str, link_action: str, owner_email: str) -> None:
    """Delete the person with that EMAIL, as somebody who may."""
    with sentences(), transaction():
        plan = delete(person(email), link_action, by=acting(person(owner_email)))
    click.echo(f"{email} was deleted.")
    click.echo(what_became_of(plan, link_action))


@tokens.command("create")
@click.argument("email")
@click.option("--name", required=True, help="What will use it.")
@click.option("--scope", type=click.Choice(ApiToken.SCOPES), default="write", show_default=True)
def create_token(email: str, name: str, scope: str) -> None:
    """Make an API token for the person with that EMAIL; it is shown this once."""
    with sentences(), transaction():
        values = {"name": name, "scope": scope}
        _row, secret = token_operations.create(person(email), values, by=SYSTEM)
    click.echo(f"A token of {email}; it is not shown again:", err=True)
    click.echo(secret)


def person(email: str) -> User:
    """Whoever has that address."""
    found = find(email)
    if found is None:
        raise click.ClickException(f"Nobody has the address {email}.")
    return found


def find(email: str) -> User | None:
    """Whoever has that address; nobody when the terminal sent bytes that are no text."""
    is_text = not any("\ud800" <= char <= "\udfff" for char in email)
    return admins.find(email) if is_text else None


def delete(user: User, link_action: str, *, by: Actor) -> DeletionPlan:
    """Delete a person; what that did."""
    try:
        return user_operations.delete(user, by=by, link_action=link_action)
    except ForbiddenError:  # its own sentence speaks to the one who is signed in
        raise click.ClickException(f"{by.email} may not delete users.") from None


def acting(user: User) -> Actor:
    """The person as the one who acts, with the level they have."""
    return Actor(user.id, user.email, user.display_name, user.level)


def what_became_of(plan: DeletionPlan, link_action: str) -> str:
    """The links in numbers."""
    reassigned = [*plan.sole, *plan.shared] if link_action == "reassign" else []
    deleted, left = ([], []) if link_action == "reassign" else (plan.sole, plan.shared)
    counts = {
        "reassigned": reassigned,
        "deleted": deleted,
        "left to a co-owner": left,
        "left to their primary owner": plan.co_owned,
    }
    return "Links: " + ", ".join(f"{len(links):,} {what}" for what, links in counts.items()) + "."
