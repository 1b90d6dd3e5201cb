"""The page of the app."""

TITLE, ICON = "Confidence", ":material/area_chart:"
SECTION = "Models"
