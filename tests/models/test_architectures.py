"""Every architecture fulfills its contract, and the sequential network matches the publication."""

import subprocess
import sys
from importlib.metadata import version as installed
from typing import Any

import numpy as np
import pytest

from cytocurve.models import architectures, engines
from cytocurve.models.ensemble import mean_ensemble

SHAPES = [(257, 257, 3, 2, 7210), (257, 257, 3, 6, 7342), (400, 400, 3, 2, 13354)]


def initial(name: str, shape: tuple[int, int, int], outputs: int, seed: int = 0) -> list[Any]:
    family = architectures.load(name)
    assert family.initial_weights is not None
    return family.initial_weights(family.settings(), shape, outputs, np.random.default_rng(seed))


@pytest.mark.parametrize(("height", "width", "channels", "outputs", "parameters"), SHAPES)
def test_sequential_network_has_the_published_number_of_parameters(
    height: int, width: int, channels: int, outputs: int, parameters: int
) -> None:
    weights = initial("sequential", (height, width, channels), outputs)
    assert sum(array.size for array in weights) == parameters


@pytest.mark.slow
@pytest.mark.parametrize(("height", "width", "channels", "outputs", "parameters"), SHAPES)
def test_keras_model_has_the_published_number_of_parameters(
    height: int, width: int, channels: int, outputs: int, parameters: int
) -> None:
    family = architectures.load("sequential")
    assert family.build is not None
    assert family.build(family.settings(), (height, width, channels), outputs).count_params() == parameters


DRAWING = [name for name in architectures.names() if architectures.load(name).initial_weights is not None]
BUILT = [name for name in architectures.names() if architectures.load(name).build is not None]


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWING)
def test_initial_weights_fit_the_keras_model_and_follow_the_seed(name: str) -> None:
    family = architectures.load(name)
    shape, outputs = (257, 257, 3), 3
    assert family.build is not None
    model = family.build(family.settings(), shape, outputs)
    first, again, other = (initial(name, shape, outputs, seed) for seed in (1, 1, 2))
    assert [array.shape for array in first] == [tuple(weight.shape) for weight in model.trainable_variables]
    assert all(array.dtype == np.float32 for array in first)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("name", DRAWING)
def test_architecture_accepts_its_minimum_size(name: str) -> None:
    family = architectures.load(name)
    side = family.minimum_size(family.settings())
    assert all(array.size for array in initial(name, (side, side, 3), 2))
    assert not all(array.size for array in initial(name, (side - 1, side - 1, 3), 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILT)
def test_keras_model_accepts_the_minimum_size(name: str) -> None:
    family = architectures.load(name)
    assert family.build is not None
    side = family.minimum_size(family.settings())
    assert family.build(family.settings(), (side, side, 3), 2).output_shape[-1] in (1, 2)


@pytest.mark.parametrize("name", architectures.names())
def test_architecture_has_an_engine_and_reserves_base_for_variants(name: str) -> None:
    family = architectures.load(name)
    assert engines.resolve("auto", name, "rmsprop") in engines.names()
    assert "base" not in family.settings.model_fields


@pytest.mark.parametrize("name", ["sequentiel", "__init__", ""])
def test_unknown_architecture_raises_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        architectures.load(name)


@pytest.mark.slow
@pytest.mark.parametrize("members", [1, 3])
def test_ensemble_gives_the_mean_of_its_members_and_survives_saving(members: int, tmp_path: Any) -> None:
    import keras

    family = architectures.load("sequential")
    assert family.build is not None
    assert family.initial_weights is not None
    settings, shape = family.settings(filters=[3, 4], dense=5), (24, 24, 3)
    rngs = [np.random.default_rng(seed) for seed in range(members)]
    weights = [family.initial_weights(settings, shape, 2, rng) for rng in rngs]
    images = rngs[0].integers(0, 256, (4, *shape), dtype=np.uint8)
    single = []
    for arrays in weights:
        network = family.build(settings, shape, 2)
        network.set_weights(arrays)
        single.append(network.predict(images, verbose=0))
    ensemble = mean_ensemble(family, settings, shape, 2, weights)
    np.testing.assert_allclose(ensemble.predict(images, verbose=0), np.mean(single, axis=0), rtol=1e-5)
    ensemble.save(tmp_path / "ensemble.keras")
    loaded = keras.models.load_model(tmp_path / "ensemble.keras")
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), ensemble.predict(images, verbose=0))


@pytest.mark.slow
def test_tensorflow_already_used_by_the_process_is_left_as_configured() -> None:
    """As in a notebook: its threads cannot be changed any more."""
    code = "import tensorflow as tf; tf.constant(0); from cytocurve.models import tensorflow; tensorflow.load()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "TensorFlow keeps its threads" in done.stderr


@pytest.mark.slow
def test_looking_up_architectures_and_their_versions_imports_none_of_their_libraries() -> None:
    """Other commands do so too, and must not wait for them."""
    code = "import sys; from cytocurve.models import architectures; "
    code += "[architectures.version(name) for name in architectures.names()]; "
    code += "assert not {'skimage', 'sklearn', 'scipy', 'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_versions_of_libraries_are_part_of_the_version_of_an_architecture_that_states_them() -> None:
    stated = architectures.version("features_svm")
    for library in ("numpy", "scikit-image", "scikit-learn", "scipy"):
        assert f"+{library}-{installed(library)}" in stated
    assert "+" not in architectures.version("sequential")
