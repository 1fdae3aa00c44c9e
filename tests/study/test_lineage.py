"""Every run in a ledger can be traced, including those of earlier key formats."""

from pathlib import Path

import numpy as np

from cytocurve.stores.ledger import Finished, open_ledger
from cytocurve.study.lineage import Sighting, sightings
from tests.datasets.dataset_makers import silent

IDENTITY = "ab" * 32

FORMAT_1 = {
    "arm": "sequential-none-expert",
    "fold": 3,
    "size": 20,
    "seed": 0,
    "recipe": {
        "architecture": "sequential",
        "architecture_settings": {"filters": [4, 8], "dense": [32]},
        "architecture_version": "0123456789ab",
        "augmentation": "none",
        "augmentation_settings": {},
        "augmentation_version": "",
        "image_size": 257,
        "outputs": 2,
        "batch_size": 5,
        "optimizer": "rmsprop",
        "learning_rate": 0.001,
        "max_epochs": 500,
        "patience": 50,
        "class_weights": None,
        "engine": "native",
        "engine_version": "numba-0+code-0",
    },
}
"""The description of a run from the time when a recipe was one flat list."""


def test_run_of_key_format_1_is_read_and_traced(tmp_path: Path) -> None:
    ledger, key = open_ledger(str(tmp_path)), "1" * 64
    images = np.frombuffer(bytes.fromhex(IDENTITY), np.uint8).reshape(1, 32)
    predictions = {"test": np.array([[0.25, 0.75]], np.float32)}
    finished = Finished(key, FORMAT_1, (0.7,), (0.6,), predictions, {"test": images}, {"commit": None})
    ledger.add(finished, [np.zeros(3, np.float32)])
    read = ledger.get(key)
    assert read is not None
    assert read.description == FORMAT_1
    np.testing.assert_array_equal(read.predictions["test"], predictions["test"])
    seen, damaged = sightings(ledger, [IDENTITY], silent)
    assert seen == [Sighting(IDENTITY, "test", key, "sequential-none-expert", 3, 20, 0)]
    assert damaged == []
