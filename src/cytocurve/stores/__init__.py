"""Where things last, one library a file."""
