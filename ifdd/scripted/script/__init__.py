"""What happens in a clip, over time and without pixels, with its truth."""
