"""Statistics on scores, predictions and learning curves; pure functions."""
