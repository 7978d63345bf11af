"""One's own account: signing in and out, and the page with what is one's own."""

from adminsite.views.account import menu, one_time, page, passwords, sessions, sign_in, tokens
from adminsite.views.account.blueprint import blueprint

__all__ = [
    "blueprint",
    "menu",
    "one_time",
    "page",
    "passwords",
    "sessions",
    "sign_in",
    "tokens",
]
