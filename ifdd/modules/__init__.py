"""Parts that a model is made of."""
