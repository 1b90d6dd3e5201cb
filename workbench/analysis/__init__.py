"""A folder for each question: arrays, or a model and clips, in; a frozen result out."""

CLIPS = 42
"""Clips, of each class alike, that an analysis which runs the model a few times for each takes where nobody says how many."""
DONORS = 4
"""Other people's clips that each clip is given an input, frames or a branch of."""
