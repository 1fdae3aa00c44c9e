"""A study: its dataset, design, results, lineage and presets."""
