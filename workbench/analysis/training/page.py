"""The page of the app."""

TITLE, ICON = "Training", ":material/show_chart:"
SECTION = "Models"
