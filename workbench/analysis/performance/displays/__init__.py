"""Pictures of performance: confusion, recalls, radar."""
