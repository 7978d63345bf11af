"""Reads that are not one record; they never write."""

from adminsite.queries import audit, deletion, ledger, links, overview, people, subscriptions

__all__ = ["audit", "deletion", "ledger", "links", "overview", "people", "subscriptions"]
