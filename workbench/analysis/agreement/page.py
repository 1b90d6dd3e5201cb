"""The page of the app."""

TITLE, ICON = "Agreement", ":material/join_inner:"
SECTION = "Models"
