"""From scripts to pixels, and to clips on disk."""
