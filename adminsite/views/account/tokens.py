"""One's own API tokens: made, shown once, revoked."""

from flask import abort, render_template
from flask.typing import ResponseReturnValue

from adminsite import auth
from adminsite.db import transaction
from adminsite.errors import InvalidError
from adminsite.kit import responses
from adminsite.kit.forms import marked
from adminsite.models import ApiToken
from adminsite.operations import tokens
from adminsite.views.account import page, panels
from adminsite.views.account.blueprint import LARGEST_ID, blueprint, me


@blueprint.post("/dashboard/tokens", strict_slashes=False)
def create_token() -> ResponseReturnValue:
    """Make a token; the answer is the only place where it is ever shown.

    Source: contract, section Pages.
    """
    sent = responses.submitted_once(numbers={"days"})
    values = {name: sent[name] for name in tokens.RULES if name in sent}
    try:
        with transaction():
            token, secret = tokens.create(me(), values, by=auth.current_person())
    except InvalidError as refusal:
        form = marked(panels.TokenForm(sent), refusal.fields)
        return page.refused(refusal, "tokens", **panels.tokens(me(), form))
    if responses.wants_json():
        return responses.accepted(_described(token) | {"token": secret}, 201)
    made = panels.tokens(me(), secret=secret)
    if responses.is_fragment():
        part = render_template("dashboard/_tokens.html", **made)
        return responses.toast(part, f"Made the token “{token.name}”.")
    return page.show(**made)  # here and now: a redirect would have to carry the token along


@blueprint.post("/dashboard/tokens/<int:token_id>/revoke", strict_slashes=False)
def revoke_token(token_id: int) -> ResponseReturnValue:
    """End one of one's own tokens; another's is not found."""
    actor = auth.current_person()
    with transaction() as session:
        token = session.get(ApiToken, token_id) if token_id <= LARGEST_ID else None
        if token is None or token.user_id != actor.id:
            abort(404, "There is no such token.")
        tokens.revoke(token, by=actor)
    message = f"Revoked the token “{token.name}”."
    if responses.wants_json():
        return responses.accepted(_described(token))
    if responses.is_fragment():
        part = render_template("dashboard/_tokens.html", **panels.tokens(me()))
        return responses.toast(part, message)
    return page.done(message)


def _described(token: ApiToken) -> dict[str, object]:
    """A token as scripts are told of it."""
    times = {name: getattr(token, name) for name in ("created_at", "expires_at", "revoked_at")}
    return {
        "id": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "scope": token.scopes,
        **{name: at.isoformat() if at else None for name, at in times.items()},
    }
