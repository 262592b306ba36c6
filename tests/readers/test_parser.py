"""A text from a stranger: only the language is understood, everything else is refused where it stands."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inception_lab.errors import NetworkError
from inception_lab.nets.ops import Concat, Conv, Pool, Residual
from inception_lab.readers.parser import parse

REFUSED = {
    "__import__('os').system('true')": "Line 1, column 1: \"__import__('os').system('true')\" is not part of",
    "Conv(3).channels": "Line 1, column 1: 'Conv(3).channels' is not part of the language",
    "Conv(open('x'))": "Line 1, column 6: \"open('x')\" is not part of the language",
    "(lambda: Conv(1))()": "Line 1, column 1: '(lambda: Conv(1))()' is not part",
    "[Conv(1)]": "Line 1, column 1: '[Conv(1)]' is not part",
    "Conv(1) if 1 else Conv(2)": "Line 1, column 1: ",
    "Conv(x := 3)": "Line 1, column 6: ",
    "Conv": "Line 1, column 1: 'Conv' is not part of the language",
    "f'{1}'": "Line 1, column 1: ",
    "Conv(1 + 1)": "Line 1, column 6: '1 + 1' is not part",
    "Conv(**{})": "Line 1, column 8: ** is not part of the language",
    "Concat(*Conv(1))": "Line 1, column 8: only a tuple can be unpacked",
    "Concat(\n    Conv(1),\n    eval('1'),\n)": "Line 3, column 5: \"eval('1')\" is not part",
    "1": "Line 1, column 1: this is not a network, a stage or an op",
    "(Conv(1), Conv(2))": "Line 1, column 1: this is not a network",
    "Conv(3": "Line 1, column 5: '(' was never closed",
    "": "The text cannot be read: ",
    "\0": "The text cannot be read: ",
    "Conv(1,1,1,'same',5)": "Line 1, column 1: Conv takes channels, kernel, stride, pad",
    "Conv(1, colour=2)": "Line 1, column 1: Conv takes channels, kernel, stride, pad",
    "Concat(branches=1)": "Line 1, column 1: Concat takes branches",
    "Conv('a')": "Conv: channels is a whole number from 1 to 65,536",
    "Conv(True)": "Conv: channels is a whole number",
    "Conv(0)": "Conv: channels is a whole number",
    "Conv(-3)": "Conv: channels is a whole number",
    "Conv(1e3)": "Conv: channels is a whole number",
    "Conv(1, 2)": 'Conv: "same" padding needs odd sides, not 2×2',
    "Conv(1, (1, 3, 3))": "Conv: the kernel is a side or (height, width)",
    "Conv(1, (1, 'x'))": "Conv: kernel is a whole number",
    "Conv(1, stride=0)": "Conv: stride is a whole number",
    "Conv(1, pad='full')": 'Conv: pad is "same" or "valid"',
    "Pool('min')": 'Pool: the kind is "max" or "avg"',
    "Pool('max', (3, 3))": "Pool: kernel is a whole number",
    "Pool('avg', count_border=1)": "Pool: count_border is True or False",
    "Concat()": "Concat: it joins ops",
    "Concat(3)": "Concat: it joins ops",
    "Chain(())": "Chain: it holds a tuple of ops",
    "Chain((Conv(1) >> Conv(2),))": "Chain: a chain inside a chain is one chain",
    "Residual(Conv(1), scale=1e999)": "Residual: the scale is a number from -1,000 to 1,000",
    "Residual(Conv(1), scale='1')": "Residual: the scale is a number",
    "Residual(3)": "Residual: the body is an op",
    "Residual(Conv(1), width=0)": "Residual: width is a whole number",
    "Residual(Conv(1), relu=None)": "Residual: relu is True or False",
    "Conv(1) >> 3": "Line 1, column 1: >> stands between two ops",
    "3 * Conv(1)": "Line 1, column 1: * repeats a tuple",
    "9999999 * (Conv(1),)": "Line 1, column 1: a tuple is repeated at most until it holds 1,000",
    "-1 * (Conv(1),)": "a tuple is repeated at most",
    "Stage('a/b', (Conv(1),))": "Stage: a stage's name has letters",
    "Stage('head', (Conv(1),))": "Stage: a stage's name has letters, digits, _ and -",
    "Stage('a', Conv(1))": "Stage: its blocks are a tuple of ops",
    "Stage('a', (Conv(1),), 3)": "Stage: its source is a text",
    "Net('<b>', '', (Stage('a', (Conv(1),)),))": "Net: a network's name has letters",
    "Net('n', '', (Conv(1),))": "Net: its stages are a tuple of Stage",
    "Net('n', '', 2 * (Stage('a', (Conv(1),)),))": "Net: two stages have one name",
    "Net('n', '', (Stage('a', (Conv(1),)),), dropout=1)": "Net: dropout is a share",
    "Net('n', '', (Stage('a', (Conv(1),)),), size=99999)": "Net: size is a whole number from 1 to 8,192",
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused_where_it_stands(text: str) -> None:
    with pytest.raises(NetworkError) as caught:
        parse(text)
    assert REFUSED[text] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "Concat(*(1000*(Concat(*(1000*(Conv(1),))),)))",
        "Conv(1)>>" * 5000 + "Conv(1)",
        "(" * 5000 + "1" + ")" * 5000,
        "-" * 50_000 + "1",
        "Residual(" * 3000 + "Conv(1)" + ")" * 3000,
        "Conv(0x" + "f" * 9000 + ")",
        "0x" + "f" * 9000 + "*(Conv(1),)",
        "Residual(Conv(1), 0x" + "f" * 9000 + ")",
        "Conv(" + "9" * 9000 + ")",
        "Conv(1)" + " " * 200_000 + ">> Conv(1)",
    ],
    ids=["ops", "chain", "brackets", "minus", "nested", "wide", "repeats", "scale", "digits", "long"],
)
def test_what_would_exhaust_the_machine_is_refused(text: str) -> None:
    with pytest.raises(NetworkError) as caught:
        parse(text)
    assert len(str(caught.value)) < 300


def test_freedom_of_writing() -> None:
    assert parse(" Concat(*(Conv(1, 1), Conv(2, 1)), Pool(kind='max')) \n") == Concat(
        Conv(1, 1), Conv(2, 1), Pool("max")
    )
    assert parse("(Conv(1),) * 2 and 1".removesuffix(" and 1").join(["Concat(*(", "))"])) == Concat(Conv(1), Conv(1))
    assert parse("Residual(Conv(1), -0.5)  # a comment") == Residual(Conv(1), -0.5)


@settings(max_examples=150, deadline=None, database=None)
@given(st.text(max_size=60) | st.text("Conv()Pl>*,='12 \n", max_size=40))
def test_any_text_is_read_or_refused_in_our_words(text: str) -> None:
    with suppress(NetworkError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Residual(" * 22 + "Conv(3)" + ")" * 22, "ops 13 deep inside one another; 12 are the most"),
        ("Concat(*(40 * (Conv(1),)))", "it joins at most 32 ops"),
        ('Stage("B", (' + " >> ".join(["Conv(3)"] * 600) + ",))", "601 ops in one block; 500 are the most"),
        ("99999999999999999999 * ()", "a tuple is repeated at most"),
    ],
)
def test_what_would_take_for_ever_to_draw_is_refused(text: str, why: str) -> None:
    with pytest.raises(NetworkError, match=why):
        parse(text)
