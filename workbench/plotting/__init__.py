"""What every picture shares: looks, saving, films, the player."""
