"""IFDD and its baselines: backbone, pyramid, split, lift and head put together."""
