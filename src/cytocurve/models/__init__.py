"""Architectures, augmentation policies and engines: the only package that imports Keras, TensorFlow or numba."""
