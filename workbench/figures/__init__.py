"""The figures of the IFDD and OUS papers, redrawn from checkpoints; a file for each."""
