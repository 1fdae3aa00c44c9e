"""What the stages of a study share: its runs, their training, and their publication."""
