"""Pictures of comparisons: differences, flips, slices."""
