"""The page of the app."""

TITLE, ICON = "Compare", ":material/compare_arrows:"
SECTION = "Models"
NEEDS_LABELS = "nothing tells which model is better"
