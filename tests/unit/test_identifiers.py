"""Credit codes, phones, e-mail addresses and WeChat ids: normal forms and reasons."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from portal.core import identifiers as ids
from portal.core.identifiers import IdentifierError

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def code_of(function, value: str) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(IdentifierError) as caught:
        function(value)
    assert caught.value.code in ids.MESSAGES
    assert str(caught.value)
    return caught.value.code


codes = st.builds(
    lambda region, rest: (body := f"91{region:06d}{rest}") + uscc.calc_check_digit(body),
    st.integers(110000, 659999),
    st.text(ALPHABET, min_size=9, max_size=9),
)


@given(codes)
def test_valid_codes(code: str) -> None:
    assert ids.normalise_credit_code(f" {code[:6].lower()} {code[6:]}　") == code
    assert ids.is_credit_code(code)


@given(codes, st.integers(8, 17), st.sampled_from(ALPHABET))
def test_every_mistyped_character_is_noticed(code: str, at: int, other: str) -> None:
    wrong = code[:at] + other + code[at + 1 :]
    assert ids.is_credit_code(wrong) == (wrong == code)


def test_reasons_for_codes() -> None:
    assert code_of(ids.normalise_credit_code, "123") == "credit_code.length"
    assert code_of(ids.normalise_credit_code, "9144030070846113OT") == "credit_code.alphabet"
    assert code_of(ids.normalise_credit_code, "004403007084611361") == "credit_code.authority"
    assert code_of(ids.normalise_credit_code, "91A403007084611361") == "credit_code.region"
    assert code_of(ids.normalise_credit_code, "914403007084611361") == "credit_code.check_digit"


@pytest.mark.parametrize(
    ("typed", "stored", "display", "digits", "kind"),
    [
        ("138 0013-8000", "+8613800138000", "138 0013 8000", "13800138000", "mobile"),
        ("+86 13800138000", "+8613800138000", "138 0013 8000", "13800138000", "mobile"),
        ("008613800138000", "+8613800138000", "138 0013 8000", "13800138000", "mobile"),
        ("１３８００１３８０００", "+8613800138000", "138 0013 8000", "13800138000", "mobile"),
        ("0755-26688888", "+8675526688888", "0755-26688888", "075526688888", "landline"),
        ("0755-26688888-801", "+8675526688888;ext=801", "0755-26688888-801", "075526688888", "landline"),
        ("(021) 8888 6666 转 12", "+862188886666;ext=12", "021-88886666-12", "02188886666", "landline"),
        ("02188886666分机：12", "+862188886666;ext=12", "021-88886666-12", "02188886666", "landline"),
        ("+86 21 8888 6666", "+862188886666", "021-88886666", "02188886666", "landline"),
        ("400-812-3456", "+864008123456", "400 812 3456", "4008123456", "service"),
        ("95588", "95588", "95588", "95588", "service"),
        ("+852 2345 6789", "+85223456789", "+852 2345 6789", "23456789", "landline"),
    ],
)
def test_phones(typed: str, stored: str, display: str, digits: str, kind: str) -> None:
    phone = ids.normalise_phone(typed)
    assert (phone.stored, phone.display, phone.digits, phone.kind) == (stored, display, digits, kind)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_display_and_e164_are_read_again(number: str) -> None:
    phone = ids.normalise_phone(number)
    assert ids.normalise_phone(phone.display) == phone == ids.normalise_phone(phone.stored)


@pytest.mark.parametrize("stored", ["+8675526688888;ext=801", "+862188886666", "+16502530000", "95588"])
def test_stored_form_is_read_again(stored: str) -> None:
    phone = ids.normalise_phone(stored)
    assert phone.stored == stored
    assert ids.normalise_phone(phone.display).stored == stored


def test_reasons_for_phones() -> None:
    assert code_of(ids.normalise_phone, "  ") == "phone.empty"
    assert code_of(ids.normalise_phone, "call me") == "phone.format"
    assert code_of(ids.normalise_phone, "26688888") == "phone.invalid"
    assert code_of(ids.normalise_phone, "12345678901") == "phone.invalid"
    assert code_of(ids.normalise_phone, "02188886666转1234567") == "phone.extension"
    assert code_of(ids.normalise_phone, "1" * 100) == "phone.format"


def test_query_digits() -> None:
    assert ids.phone_query_digits("+86 138-0013") == "1380013"
    assert ids.phone_query_digits("0755 266") == "0755266"
    assert ids.phone_query_digits("茅台 138") == ""


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("Wang.Fang@Example.COM", "Wang.Fang@example.com"),
        (" a+b@x.cn ", "a+b@x.cn"),
        ("用户@例子.中国", "用户@例子.中国"),
        ("a＠b.com", "a@b.com"),
    ],
)
def test_emails(typed: str, normal: str) -> None:
    assert ids.normalise_email(typed) == normal


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("a@b@c.com", "email.at"), ("abc", "email.at"), ("a@b", "email.domain"), ("a@1.2.3.4", "email.domain"),
        ("a@-b.com", "email.domain"),
        ("a..b@c.com", "email.local"), ("@c.com", "email.local"), ("a b@c.com", "email.characters"),
        ("a\r\nBcc: x@c.com", "email.characters"),
        ("a\u202e@c.com", "email.characters"), ("a" * 65 + "@c.com", "email.length"),
    ],
)  # fmt: skip
def test_reasons_for_emails(typed: str, code: str) -> None:
    assert code_of(ids.normalise_email, typed) == code


def test_wechat() -> None:
    assert ids.normalise_wechat(" wang_fang-1 ") == "wang_fang-1"
    assert ids.normalise_wechat("138 0013 8000") == "13800138000"
    for wrong in ("abc", "1abcdef", "王芳王芳王芳", "a" * 21, ""):
        assert code_of(ids.normalise_wechat, wrong) == "wechat.format"


@given(st.text(max_size=70))
def test_any_text_gives_a_value_or_a_code(text: str) -> None:
    for function in (ids.normalise_credit_code, ids.normalise_phone, ids.normalise_email, ids.normalise_wechat):
        code = None
        try:
            function(text)
        except IdentifierError as error:
            code = error.code
        assert code is None or code in ids.MESSAGES


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(IdentifierError("credit_code.length", length=3)))
    assert error.code == "credit_code.length"
    assert error.params == {"length": 3}
    assert "3" in str(error)
