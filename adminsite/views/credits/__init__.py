"""Credits: the ledger on the screen, and everything that adds to it by hand."""

from adminsite.views.credits.view import CreditView

__all__ = ["CreditView"]
