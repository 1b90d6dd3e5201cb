"""Face models: what a person looks like, and what each action unit does to the face."""
