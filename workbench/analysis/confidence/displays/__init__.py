"""Pictures of confidence: densities, reliability, votes."""
