"""Reads that are not one record; they never write."""

from adminsite.queries import deletion, links, overview, people

__all__ = ["deletion", "links", "overview", "people"]
