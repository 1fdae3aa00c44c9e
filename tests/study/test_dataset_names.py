"""Names of label versions."""

import pytest

from cytocurve.study.dataset import check_version


@pytest.mark.parametrize("name", ["x" * 300, "../../x", "", "a/b", "label"])
def test_label_version_needs_a_short_plain_name(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        check_version(name)
