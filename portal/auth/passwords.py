"""Passwords: hashing and the rules a new one must meet. No database, no request.

Length and guessability decide, not character classes (OWASP ASVS 5.0, 6.2). Guessability is estimated by zxcvbn
(D. Wheeler, "zxcvbn: Low-Budget Password Strength Estimation", USENIX Security 2016) over its lists of 30,000 common
passwords and tens of thousands of words and names, with keyboard walks, repetitions, dates and letter substitutions;
our own list adds what is common in China, the caller adds the company, the product and the person's own names.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from portal.core.errors import ErrorList
from portal.i18n import _

MINIMUM_LENGTH = 12
MAXIMUM_LENGTH = 256
#: A password must be expected to stand so many guesses (as a power of ten).
MINIMUM_GUESSES_LOG10 = 9.0
#: zxcvbn's work grows with the square of the length; what stands behind these characters only adds strength.
ESTIMATED_LENGTH = 64
#: Classes of characters that must occur with PASSWORD_COMPLEXITY (GB/T 22239 speaks of complexity, practice asks
#: for three).
CLASSES_WANTED = 3

#: The product, as a context word.
PRODUCT_WORDS = ("portal", "kehu", "kehuguanli", "customer", "customerportal")

#: What people in China choose, in letters and digits: words, phrases read as numbers, first runs on the keyboard.
CHINESE_COMMON = (
    "woaini", "woaini1314", "woaini520", "5201314", "1314520", "1314521", "5211314", "7758521", "7758258",
    "5845201314", "aini", "aini1314", "iloveyou1314", "woaiwojia", "woaizhongguo", "zhongguo", "beijing",
    "shanghai", "guangzhou", "shenzhen", "chongqing", "tianjin", "mima", "mima123", "mimamima", "woshishui",
    "woaibaba", "woaimama", "laopo", "laogong", "baobei", "baobao", "qinaide", "xiaoxiao", "tiantian", "nihao",
    "nihaoma", "nihao123", "admin", "guanliyuan", "guanli", "xitong", "yonghu", "gongsi", "bangong", "caiwu",
    "xiaoshou", "kefu", "jingli", "zongjingli", "laoban", "fangzhang", "asd123456", "zxc123456", "qwe123456",
    "aa123456", "a123456789", "abc123456", "q123456789", "123456789a", "147258369", "159357", "789456123",
    "741852963", "112233", "123321", "888888", "666666", "168168", "518518", "520520", "8888888888",
    "6666666666", "gongxifacai", "facai", "fafafa", "dashabi", "haohaoxuexi", "tiantianxiangshang", "zhangwei",
    "wangwei", "wangfang", "liwei", "lina", "zhangmin", "lijing", "wangjing", "liuwei", "wangxiuying",
)  # fmt: skip

_hasher = PasswordHasher(type=Type.ID)
_estimator_lock = Lock()
#: Letters and digits that nobody confuses when a one-time password is read out.
_ONE_TIME_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def use_fast_hashes() -> None:
    """Cheap parameters, for tests only: there is no setting that calls this."""
    global _hasher
    _hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=Type.ID)
    nobodys_hash.cache_clear()


def normal_form(password: str) -> str:
    """NFC, so that one password typed on two systems is one password. Nothing is cut or trimmed."""
    return unicodedata.normalize("NFC", password)


def hash_password(password: str) -> str:
    """Argon2id hash with its parameters and salt (parameters of RFC 9106, low memory)."""
    return _hasher.hash(normal_form(password))


def verify(stored: str, password: str) -> bool:
    """Whether the password belongs to the hash. Overlong input is refused after the usual time."""
    typed = normal_form(password)
    if len(typed) > MAXIMUM_LENGTH:
        stored, typed = nobodys_hash(), ""
    try:
        return _hasher.verify(stored, typed)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


@lru_cache(maxsize=1)
def nobodys_hash() -> str:
    """A hash that no password fits: unknown accounts take as long as known ones."""
    return _hasher.hash(secrets.token_urlsafe(32))


def one_time_password() -> str:
    """Four groups of five letters and digits: 99 bits, easily read out."""
    return "-".join("".join(secrets.choice(_ONE_TIME_LETTERS) for _index in range(5)) for _group in range(4))


def guesses_log10(password: str, context: Iterable[str] = ()) -> float:
    """How many guesses the password stands, as a power of ten.

    :param context: words somebody would try first: company, product, log-in name, own name.
    """
    import zxcvbn  # type: ignore[import-untyped,unused-ignore]

    words = {word.casefold() for word in (*PRODUCT_WORDS, *CHINESE_COMMON, *context) if len(word) >= 2}
    head = normal_form(password)[:ESTIMATED_LENGTH]
    with _estimator_lock:  # the library keeps the context words in a module variable
        return float(zxcvbn.zxcvbn(head, user_inputs=sorted(words))["guesses_log10"])


def character_classes(password: str) -> int:
    """How many of lower case, upper case, digits and others occur. Letters without case count as others."""
    return sum(
        (
            any(character.islower() for character in password),
            any(character.isupper() for character in password),
            any(character.isdigit() for character in password),
            any(not (character.islower() or character.isupper() or character.isdigit()) for character in password),
        )
    )


def check_rules(password: str, context: Iterable[str], *, complexity: bool, field: str = "password") -> None:
    """Check a new password.

    :param context: as for `guesses_log10`.
    :param complexity: also ask for three of four character classes.
    :raises Invalid: with every rule that is broken, beside `field`.
    """
    errors = ErrorList()
    typed = normal_form(password)
    if len(typed) < MINIMUM_LENGTH:
        errors.add(field, _("Use at least %(count)s characters.", count=MINIMUM_LENGTH))
    if len(typed) > MAXIMUM_LENGTH:
        errors.add(field, _("Use at most %(count)s characters.", count=MAXIMUM_LENGTH))
    if complexity and character_classes(typed) < CLASSES_WANTED:
        errors.add(field, _("Use three of these: lower case letters, upper case letters, digits, other characters."))
    if MINIMUM_LENGTH <= len(typed) <= MAXIMUM_LENGTH and guesses_log10(typed, context) < MINIMUM_GUESSES_LOG10:
        errors.add(field, _("This is too easy to guess. Several unrelated words make a good password."))
    errors.raise_if_any()
