"""The page of the app."""

TITLE, ICON = "Comparison", ":material/compare_arrows:"
NEEDS_LABELS = "nothing tells which model is better"
