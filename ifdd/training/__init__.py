"""Training: recipes, the Lightning module, its data."""
