"""Displays of disentanglement: probes, readers, tables."""
