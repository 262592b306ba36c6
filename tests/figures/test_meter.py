"""The death meter reads the arm's mean, its bar counts nines, its words do not round a living network to death."""

import pytest

from inception_lab.figures.meter import Level, meter, nines, number


@pytest.mark.parametrize(("share", "count"), [(0, 0), (0.9, 1), (0.999, 3), (0.99999, 4), (1, 4), (float("nan"), 4)])
def test_the_bar_counts_nines(share: float, count: float) -> None:
    assert nines(share) == pytest.approx(count)


def test_number_and_words_are_of_all_runs() -> None:
    level = Level("scale 1", 1.0, (1.0, 0.9989), dead=1)
    assert level.share == pytest.approx(0.99945)
    assert level.words == "1 of 2 at 0.999 or above now, 1 dead"
    assert number(0.99999) == "0.9999"
    html = meter([level])
    assert 'aria-valuenow="0.99945"' in html
    assert ">0.9994<" in html
    assert "left:75.0%" in html, "the threshold, three nines of four"


def test_labels_are_text() -> None:
    assert "<b>" not in meter([Level("<b>", 1.0, (0.5,))])
