"""The audit of images, labels and folds before any training, one check per module; pure functions of the catalog."""
