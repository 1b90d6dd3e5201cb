"""The page of the app: maps of many clips, tests of maps, and edits of many clips."""

TITLE, ICON = "Attribution", ":material/blur_on:"
