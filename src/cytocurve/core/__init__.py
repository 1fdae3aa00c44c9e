"""The pure core: numpy, scipy and scikit-learn; no files, clock, environment or TensorFlow."""
