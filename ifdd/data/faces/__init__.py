"""Find and follow faces, cuts between shots, and boxes around them."""
