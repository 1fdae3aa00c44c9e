"""The size of a network is known before it is built."""

import numpy as np
import pytest

from cytocurve.models.architectures.sequential import SequentialSettings, initial_weights, stack
from cytocurve.study.network_size import problems, size_of


@pytest.mark.parametrize(
    ("filters", "dense", "side", "outputs"), [([3, 4], [6], 24, 2), ([5], [], 9, 4), ([4, 8, 8], [7, 300], 64, 3)]
)
def test_number_of_weights_is_that_of_the_network(
    filters: list[int], dense: list[int], side: int, outputs: int
) -> None:
    settings = SequentialSettings(filters=filters, dense=dense)
    weights = initial_weights(settings, (side, side, 3), outputs, np.random.default_rng(0))
    assert size_of(stack(settings), side, outputs)[0] == sum(array.size for array in weights)


def test_largest_output_is_that_of_the_first_convolution_or_of_a_wide_dense_layer() -> None:
    assert size_of(stack(SequentialSettings(filters=[3, 4], dense=[6])), 24, 2)[1] == 22 * 22 * 3
    assert size_of(stack(SequentialSettings(filters=[1], dense=[5000])), 24, 2)[1] == 5000


def test_published_network_has_no_problem_and_a_huge_one_names_its_size() -> None:
    assert problems("sequential", stack(SequentialSettings()), 257, 2) == []
    (line,) = problems("huge", stack(SequentialSettings(dense=[1_000_000, 1000])), 257, 2)
    assert line.startswith("settings.huge: the network would have 1,")
    assert "GiB" in line
