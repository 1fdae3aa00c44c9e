"""Vectors that a sweep has computed take the place of measuring images, and nothing else changes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cytocurve.models import architectures
from cytocurve.models.architectures import Features
from cytocurve.models.engines import train
from cytocurve.models.estimators import measured, vectors_of
from cytocurve.models.jobs import Job
from tests.models.engines.engine_makers import toy_job


def job_of(policy: str) -> Job:
    family = architectures.load("features_svm")
    return toy_job(policy, architecture=family, architecture_settings=family.settings(side=24))


def with_vectors(job: Job, compute: Any = None) -> Job:
    """The same job with known vectors, and with another way to measure images."""
    features = job.architecture.features
    assert features is not None
    vectors = features.of(job.architecture_settings, job.images)
    changed = features if compute is None else replace(features, compute=compute)
    return replace(job, images=measured(job.images, vectors), architecture=replace(job.architecture, features=changed))


def bytes_of(job: Job) -> bytes:
    trained = train("estimator", job)
    return b"".join(array.tobytes() for array in (*trained.weights, *trained.predictions.values()))


@pytest.mark.parametrize("policy", ["none", "flip_rotate"])
def test_known_vectors_change_no_byte_of_the_result(policy: str) -> None:
    assert bytes_of(with_vectors(job_of(policy))) == bytes_of(job_of(policy))


def test_images_with_known_vectors_are_not_measured_again() -> None:
    train("estimator", with_vectors(job_of("none"), compute=pytest.fail))


def test_augmented_training_images_alone_are_measured() -> None:
    job = job_of("flip_rotate")
    features = job.architecture.features
    assert isinstance(features, Features)
    counted: Iterator[int] = iter(range(1000))

    def compute(image: Any, side: int) -> Any:
        next(counted)
        return features.compute(image, side)

    train("estimator", with_vectors(job, compute))
    assert next(counted) == len(job.train)


def test_selections_of_measured_images_do_not_know_vectors_of_other_images() -> None:
    images = np.zeros((4, 8, 8, 3), np.uint8)
    known = measured(images, np.zeros((4, 5), np.float32))
    assert vectors_of(known) is not None
    assert vectors_of(known[1:3]) is None
    assert vectors_of(images) is None
    assert np.shares_memory(known, images)
