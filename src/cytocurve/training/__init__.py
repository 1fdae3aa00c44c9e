"""What happens to a run: its preparation, its worker, and its publication."""
