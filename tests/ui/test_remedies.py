"""The bench and the race on a page: the numbers of the rows, what the paper says, and the caveat, all on screen."""

from streamlit.testing.v1 import AppTest

from inception_lab.jobs.remedies import against_paper, remedies_table
from inception_lab.training import reference
from inception_lab.training.experiments import REMEDIES
from inception_lab.ui.widgets import plain


def bench() -> None:
    from inception_lab.ui import remedies

    remedies.remedies()


def mixed() -> None:
    from inception_lab.training import reference
    from inception_lab.ui import remedies

    # Two budgets: the shipped bench beside the shipped micro runs, of which some have no remedy and others a scale.
    remedies.remedies([*reference.load("remedies"), *reference.load("micro")])


def empty() -> None:
    from inception_lab.ui import remedies

    remedies.remedies([])
    remedies.race([])


def test_the_shipped_bench_is_on_screen_in_full() -> None:
    app = AppTest.from_function(bench, default_timeout=60).run()
    assert not app.exception
    rows = remedies_table(reference.load("remedies"))
    frame = app.table[0].value
    assert list(frame.index) == [row.label for row in rows]
    failed = [f"{row.failed} of {row.n}, {row.low:.2f} to {row.high:.2f}" for row in rows]
    assert list(frame["failed, 95 % interval"]) == failed
    numbers = app.dataframe[0].value
    assert list(numbers.failed) == [row.failed for row in rows]
    assert list(numbers.dies) == [row.outcomes["dies"] for row in rows]
    assert list(frame["the paper (arXiv 3.3)"]) == [row.paper for row in rows]
    assert list(frame.here)[1:] == [row.word for row in rows][1:]
    assert plain(against_paper(rows)) in [text.value for text in app.markdown]
    assert REMEDIES.caveat in [text.value for text in app.info]
    assert any(caption.value.startswith("Shipped runs: n = ") for caption in app.caption)
    (code,) = app.code
    exec(compile(code.value.replace("figure.show()", "assert words"), "drawer", "exec"), {})


def test_unequal_budgets_are_told_and_nothing_is_counted() -> None:
    app = AppTest.from_function(mixed, default_timeout=60).run()
    assert not app.exception
    assert "differ in more than remedy and seed" in app.warning[0].value
    assert not app.table


def test_without_runs_there_is_a_sentence() -> None:
    app = AppTest.from_function(empty, default_timeout=60).run()
    assert not app.exception
    assert [text.value for text in app.info] == ["No run of this experiment yet."] * 2
