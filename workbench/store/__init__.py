"""What lies on disk: collections, the clips and checkpoints of the app, the demo, truth."""
