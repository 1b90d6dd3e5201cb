"""Long work of the app: commands that run in processes of their own, whose results are kept by what made them."""
