"""The audit: every event in a list, and a page for each."""

from adminsite.views.audit.view import AuditView

__all__ = ["AuditView"]
