"""The table of variants, and their robustness as curves."""
