"""Hashing and the rules of new passwords."""

from __future__ import annotations

import importlib.util
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.auth import passwords
from portal.auth.throttle import LIMITS, Limit, network
from portal.core.errors import Invalid


@pytest.fixture(autouse=True)
def language(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages without an application: the source text."""
    monkeypatch.setattr(passwords, "_", lambda text, **values: text % values)


def problems(password: str, *context: str, complexity: bool = False) -> list[str]:
    try:
        passwords.check_rules(password, context, complexity=complexity)
    except Invalid as error:
        return [str(message) for _field, message in error.errors]
    return []


def test_argon2id_with_salt() -> None:
    first, second = passwords.hash_password("blaue Wolken 77"), passwords.hash_password("blaue Wolken 77")
    assert first.startswith("$argon2id$")
    assert first != second
    assert passwords.verify(first, "blaue Wolken 77")
    assert not passwords.verify(first, "blaue Wolken 78")
    assert not passwords.verify("nonsense", "blaue Wolken 77")
    assert not passwords.verify(passwords.nobodys_hash(), "")


def test_the_work_of_a_hash_is_within_its_budget() -> None:
    """At least what OWASP asks of Argon2id (19 MiB, two passes), and quick enough to be waited for."""
    # Loaded anew: other tests of this process have made the hashes cheap.
    spec = importlib.util.spec_from_file_location("fresh_passwords", passwords.__file__)
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    hasher = fresh._hasher
    assert hasher.memory_cost * hasher.time_cost >= 2 * 19 * 1024
    assert hasher.time_cost >= 2
    began = time.perf_counter()
    stored = hasher.hash("blaue Wolken 77")
    assert time.perf_counter() - began < 2
    assert stored.startswith("$argon2id$")


@given(st.text(min_size=1, max_size=40))
def test_unicode_forms_are_one_password(text: str) -> None:
    assert passwords.normal_form(unicodedata.normalize("NFD", text)) == passwords.normal_form(text)


def test_nothing_is_cut_or_trimmed() -> None:
    stored = passwords.hash_password(" " + "a" * 200 + "b ")
    assert not passwords.verify(stored, " " + "a" * 200 + "c ")
    assert not passwords.verify(stored, "a" * 200 + "b")
    assert passwords.verify(stored, " " + "a" * 200 + "b ")
    assert not passwords.verify(stored, "a" * 100_000)


@pytest.mark.parametrize(
    "good",
    [
        "blaue Wolken tanzen 77",
        "correct horse battery staple",
        "山高月小水落石出也不知道",
        "xK9-rtq2-Lm4-wz",
        "a" * 20 + "Zq7!rtP9x",
    ],
)
def test_good_passwords(good: str) -> None:
    assert problems(good) == []


@pytest.mark.parametrize(
    "bad",
    ["password1234", "qwertyuiop12", "1qaz2wsx3edc", "aaaaaaaaaaaaaaaa", "123456789012", "abcdefghijkl", "P@ssw0rd1234",
     "woaini1314520", "zhongguo1234", "Portal2024!!", "iloveyou1314", "woaini5201314"],
)  # fmt: skip
def test_common_passwords(bad: str) -> None:
    assert len(problems(bad)) == 1


def test_context_words() -> None:
    assert problems("heshantea20262026") == []
    assert problems("heshantea20262026", "heshantea") != []
    assert problems("xulianying1990", "xulianying") != []


def test_length() -> None:
    assert "12" in problems("kurz")[0]
    assert problems("Zq7!rtP9x#Lm" * 10) == []
    assert "256" in problems("Zq7!rtP9x#Lm" * 30)[0]


def test_complexity_is_a_switch() -> None:
    plain = "blauewolkentanzen"
    assert problems(plain) == []
    assert len(problems(plain, complexity=True)) == 1
    assert problems("blaueWolkentanzen7", complexity=True) == []


def test_common_list_is_long_enough() -> None:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    assert len(FREQUENCY_LISTS["passwords"]) + len(passwords.CHINESE_COMMON) >= 3000


def test_one_time_passwords() -> None:
    made = {passwords.one_time_password() for _number in range(200)}
    assert len(made) == 200
    assert all(problems(password) == [] for password in made)


def test_delays_double_up_to_a_limit() -> None:
    limit = LIMITS["pair"]
    delays = [limit.delay(failures).total_seconds() for failures in range(1, 40)]
    assert delays[:8] == [0, 0, 0, 0, 2, 4, 8, 16]
    assert delays == sorted(delays)
    assert max(delays) == limit.longest.total_seconds()
    assert isinstance(limit, Limit)
    assert LIMITS["account"].longest.total_seconds() <= 60, "nobody is kept out for long by others"


@pytest.mark.parametrize(
    ("ip", "expected"),
    [("10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::/64"), ("2001:db8::ffff", "2001:db8::/64"),
     ("::ffff:10.0.0.1", "10.0.0.1"), ("nonsense", "nonsense"), ("", "")],
)  # fmt: skip
def test_networks(ip: str, expected: str) -> None:
    assert network(ip) == expected
