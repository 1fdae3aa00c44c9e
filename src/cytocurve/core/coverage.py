"""Which part of an unfinished study can be shown: arms that have finished runs of the same training sizes."""

from collections.abc import Collection, Mapping


def shown_part(finished: Mapping[str, Collection[int]]) -> tuple[list[str], list[int]]:
    """The arms and training sizes to show, from the sizes of each arm's finished runs.

    The sizes are those of the arm that has the most of them, the first of several; every arm that has all of these
    sizes is shown. Both are empty if no run has finished.
    """
    most = max(finished.values(), key=lambda sizes: len(set(sizes)), default=())
    sizes = sorted(set(most))
    return [arm for arm, has in finished.items() if sizes and set(sizes) <= set(has)], sizes
