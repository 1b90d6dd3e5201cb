"""Ifdd."""
