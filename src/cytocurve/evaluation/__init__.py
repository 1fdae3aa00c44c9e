"""From stored predictions to answers."""
