"""Mvit."""
