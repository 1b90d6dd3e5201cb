"""Pictures of embeddings: one, or several in a row or a film."""
