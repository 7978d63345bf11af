"""The panel's first page: the figures, how they came to be, and what happened last."""

from adminsite.views.overview.page import Overview

__all__ = ["Overview"]
