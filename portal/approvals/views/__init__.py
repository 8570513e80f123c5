"""The inbox, the pages of a request, and everything one can do there. A GET never changes anything."""

from portal.approvals.views import deciding, following, inbox, involving, requests
from portal.approvals.views.base import blueprint

__all__ = ["blueprint", "deciding", "following", "inbox", "involving", "requests"]
