"""The multiscale vision transformer (MViTv2) and its parts."""
