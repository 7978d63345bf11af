"""The subscriptions screen: who is on which plan, and how staff changes that."""

from adminsite.views.subscriptions.view import SubscriptionView

__all__ = ["SubscriptionView"]
