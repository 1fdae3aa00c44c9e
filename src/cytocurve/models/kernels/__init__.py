"""Compiled kernels of the native engine: from vector operations (``simd``) up to a training step (``network``)."""
