"""Invitations: a one-time link to set a password, as an address that works, and by mail.

Source: D-22.
"""

from dataclasses import dataclass

from flask import current_app, url_for

from adminsite import mail
from adminsite.config import Settings
from adminsite.models import User


@dataclass(frozen=True, slots=True)
class Invitation:
    """A one-time link that was made.

    Attributes:
        url: where the person sets their password; shown to whoever made it, once.
        mailed: whether a mail server took it; else it has to be passed on by hand.
    """

    url: str
    mailed: bool


def deliver(user: User, token: str) -> Invitation:
    """Mail somebody the link of a token that `credentials.issue_reset` gave.

    Call it after the transaction: mail cannot be taken back, and no lock waits for a server.
    Where any Host is answered, nothing is mailed: the link would lead to whatever host the
    request named.
    """
    url = url_for("account.set_password", token=token, _external=True)
    mailed = _host_is_ours() and mail.send_set_password(user.email, user.display_name, url)
    return Invitation(url, mailed)


def _host_is_ours() -> bool:
    settings: Settings = current_app.config["SETTINGS"]
    return bool(settings.trusted_hosts or settings.demo or current_app.testing)
