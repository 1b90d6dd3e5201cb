"""The page of the app."""

TITLE, ICON = "Embedding", ":material/scatter_plot:"
