"""See and measure what a model does: collections, analyses, displays."""

from workbench.collect import DEFAULT, collect
from workbench.collection import Collection, open_collection

__all__ = ["DEFAULT", "Collection", "collect", "open_collection"]
