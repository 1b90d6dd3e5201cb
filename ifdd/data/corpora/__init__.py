"""The corpora of the field: what their folders and lists look like, what their numbers mean, and the official counts."""

from ifdd.data.corpora.orders import ORDERS, SOURCES, known_order

__all__ = ["ORDERS", "SOURCES", "known_order"]
