"""What a slip of the hand in a setting's text is answered with."""

import pytest

from inception_lab.errors import SettingsError
from inception_lab.training.fields import parse, values


def test_three_numbers_are_written_with_strokes() -> None:
    assert parse("repeats", "2/4/2") == (2, 4, 2)
    assert values("repeats", "2/4/2,5/10/5") == ((2, 4, 2), (5, 10, 5))
    assert values("stage_scales", "0.1/0.2/0.3 none") == ((0.1, 0.2, 0.3), None)


@pytest.mark.parametrize("text", ["2,4,2", "2, 4, 2", "(2,4,2)", "[2, 4, 2]"])
def test_three_numbers_with_commas_get_the_way_to_write_them(text: str) -> None:
    with pytest.raises(SettingsError, match=r"commas part several such values\. Did you mean repeats=2/4/2\?"):
        parse("repeats", text)


def test_a_sweep_over_them_does_too() -> None:
    with pytest.raises(SettingsError, match=r"Did you mean repeats=2/4/2\?"):
        values("repeats", "2,4,2")
    with pytest.raises(SettingsError, match=r"One value is such as stage_scales=0\.1/0\.2/0\.3\."):
        values("stage_scales", "0.1,0.2")
    with pytest.raises(SettingsError, match=r"repeats cannot be '5/10'; it is three numbers with /"):
        parse("repeats", "5/10")
