"""Results → figures; no torch, no model."""
