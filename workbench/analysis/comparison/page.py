"""The page of the app."""

TITLE, ICON = "Comparison", ":material/compare_arrows:"
