"""What every model is, the families by name, what a model costs."""
