"""Is the scene noise or signal? Models on the same faces, in scenes that go with the emotion and against it."""
