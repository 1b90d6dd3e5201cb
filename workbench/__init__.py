"""See and measure what a model does: collections, analyses, displays."""

from workbench.store.collecting import DEFAULT, collect
from workbench.store.collection import Collection, open_collection

__all__ = ["DEFAULT", "Collection", "collect", "open_collection"]
