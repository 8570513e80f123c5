"""Amounts: reading, writing, spreading, formal numerals; exact to the fen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core import money
from portal.core.money import MoneyError

D = Decimal
fens = st.integers(-999_999_999_999_999, 999_999_999_999_999)


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("1,234.50", "1234.50"), ("¥1,234.5", "1234.50"), ("￥１，２３４", "1234.00"), ("1234", "1234.00"), ("3.5万",
        "35000.00"), ("1.2亿元", "120000000.00"),
        ("-5", "-5.00"), ("−5.1", "-5.10"), ("(1,234.00)", "-1234.00"), ("人民币 100 元整", "100.00"), ("RMB 12.30",
        "12.30"), ("¥-3", "-3.00"),
        (".5", "0.50"), ("5.", "5.00"), ("1.23456万", "12345.60"), ("-0", "0.00"), ("9,999,999,999,999.99",
        "9999999999999.99"),
    ],
)  # fmt: skip
def test_parse(typed: str, amount: str) -> None:
    assert money.parse_yuan(typed) == D(amount)
    assert str(money.parse_yuan(typed)) == amount


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"), ("  ", "empty"), ("abc", "format"), ("1,23", "format"), ("1 234", "format"), ("1e5", "format"),
        ("NaN", "format"), ("--1", "format"),
        ("-(1)", "format"), ("(1", "format"), ("1.2.3", "format"), ("1" * 80, "format"), ("1.234", "precision"),
        ("1.2345678万", "precision"),
        ("10000000000000", "range"), ("-10000亿亿", "format"), ("99999999亿", "range"), ("²", "money"),
    ],
)  # fmt: skip
def test_refuse(typed: str, code: str) -> None:
    if typed == "²":  # a superscript is folded to the digit it shows
        assert money.parse_yuan(typed) == 2
        return
    with pytest.raises(MoneyError) as caught:
        money.parse_yuan(typed)
    assert caught.value.code == f"money.{code}"


@given(fens)
def test_round_trips(fen: int) -> None:
    amount = money.from_fen(fen)
    assert money.to_fen(amount) == fen
    assert money.parse_yuan(money.format_yuan(amount)) == amount
    assert money.parse_yuan(money.format_yuan(amount, symbol=True)) == amount


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_to_fen_never_rounds(amount: Decimal) -> None:
    try:
        fen = money.to_fen(amount)
    except MoneyError:
        return
    assert D(fen) / 100 == amount


@given(st.text(max_size=30))
def test_any_text_gives_an_amount_or_a_code(typed: str) -> None:
    try:
        amount = money.parse_yuan(typed)
    except MoneyError:
        return
    assert abs(amount) <= money.LIMIT
    assert amount.as_tuple().exponent == -2


def test_format() -> None:
    assert money.format_yuan(D("1234567")) == "1,234,567.00"
    assert money.format_yuan(D("-1234567"), unit="万") == "-123.46万"
    assert money.format_yuan(D("120000000"), unit="亿") == "1.2亿"
    assert money.format_yuan(D("-0.001")) == "0.00"
    assert money.format_yuan(D("-5"), symbol=True) == "-¥5.00"


amounts = st.integers(0, 10_000_000).map(money.from_fen)


@given(st.integers(-10_000_000, 10_000_000).map(money.from_fen), st.lists(amounts, min_size=1, max_size=20))
def test_allocation_is_exact(total: Decimal, weights: list[Decimal]) -> None:
    if not any(weights):
        weights = [D(1) for _weight in weights]
    parts = money.allocate(total, weights)
    assert sum(parts) == total
    assert len(parts) == len(weights)
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - total * weight / whole) < D("0.01"), "each part is less than a fen from its exact share"
        if 0 <= total <= whole:
            assert 0 <= part <= weight


def test_allocation_edges() -> None:
    assert money.allocate(D("0.05"), [D(1), D(1), D(1)]) == [D("0.02"), D("0.02"), D("0.01")]
    assert money.allocate(D(0), [D(0), D(0)]) == [D(0), D(0)]
    assert money.allocate(D("0.00"), []) == []
    for total, weights in ((D(1), [D(0)]), (D(1), []), (D(1), [D(-1), D(2)]), (D(1), [D("NaN")])):
        with pytest.raises(MoneyError):
            money.allocate(total, weights)
