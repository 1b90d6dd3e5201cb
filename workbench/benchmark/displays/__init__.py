"""The table of variants, their robustness as curves, and their seeds."""
