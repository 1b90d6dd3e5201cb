"""The page of the app."""

TITLE, ICON = "Disentanglement", ":material/call_split:"
