"""Architectures, augmentation policies and training engines: the only place of Keras, TensorFlow and numba."""
