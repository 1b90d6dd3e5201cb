"""What every picture shares: looks, saving, films, text."""
