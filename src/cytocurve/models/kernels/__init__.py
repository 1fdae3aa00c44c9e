"""Compiled kernels of the native engine: from vector operations (``simd``) to a training step (``network``)."""
