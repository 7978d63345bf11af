"""Reads that are not one record; they never write."""

from adminsite.queries import deletion, ledger, links, overview, people, subscriptions

__all__ = ["deletion", "ledger", "links", "overview", "people", "subscriptions"]
