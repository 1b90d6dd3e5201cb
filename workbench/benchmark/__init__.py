"""Variants of a family over suites and seeds, in one table."""
