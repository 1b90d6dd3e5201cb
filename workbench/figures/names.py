"""The figures that `workbench figures` draws, by the beginning of their file names."""

from typing import Literal

Column = Literal["single", "double"]
"""Widths of a journal's columns, 89 and 183 mm."""
TABLE = "ifdd_fig3_table"
FIGURES = {
    "ifdd_fig2_maps": "Maps of clips, one of each class",
    "ifdd_fig2_tsne": "t-SNE of the clips, one for each model",
    "ifdd_fig3_variants": "Which frames a split reads, as a scheme",
    TABLE: "Table of trained variants",
    "ifdd_fig4_radar": "Recalls of the classes, radar and dots",
    "ifdd_fig5_confidence": "Densities of confidence",
    "ous_fig4_stages": "t-SNE from stage to stage of the network",
    "ous_fig5_confusion": "Confusion matrices",
}
