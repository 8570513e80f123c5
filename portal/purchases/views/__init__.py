"""Pages of products, purchases and sums of sales."""

from portal.purchases.views import overview, products, records
from portal.purchases.views.base import blueprint

__all__ = ["blueprint", "overview", "products", "records"]
