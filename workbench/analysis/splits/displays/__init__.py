"""Pictures of splits: timelines, schematics, summaries."""
