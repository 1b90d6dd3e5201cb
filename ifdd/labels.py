"""Class names, in the one order that the project uses."""

EMOTIONS: tuple[str, ...] = ("happy", "sad", "neutral", "angry", "surprise", "disgust", "fear")
"""The seven basic emotions in DFEW order (model index = DFEW label - 1)."""
