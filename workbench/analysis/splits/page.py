"""The page of the app."""

TITLE, ICON = "Splits", ":material/content_cut:"
