"""Predictions that others made, from a file to a Collection: `files` and `views` read, `scores` and `matching` understand."""
