"""Numbers and addresses that identify: unified social credit codes, phones, e-mail addresses, WeChat ids.

Each function returns the normal form or raises `IdentifierError` with a stable code. Numbers of identity cards are
never taken. Chinese words in this module are data (what people write between a number and its extension).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from stdnum.cn import uscc

from portal.core.coded import N_, CodedError

MESSAGES = {
    "credit_code.length": N_("A unified social credit code has 18 characters; this one has %(length)s."),
    "credit_code.alphabet": N_(
        "A unified social credit code has no “%(character)s”: only digits and capital letters without I, O, S, V and Z."
    ),
    "credit_code.authority": N_("The first two characters of the code name no registering authority."),
    "credit_code.region": N_("Characters 3 to 8 of the code must be the six digits of a region."),
    "credit_code.check_digit": N_("The check digit of the code is wrong: probably a character is mistyped."),
    "phone.empty": N_("Enter a phone number."),
    "phone.format": N_("This is not a phone number."),
    "phone.invalid": N_("There is no such phone number. Landlines need the area code."),
    "phone.extension": N_("An extension has one to six digits."),
    "email.length": N_("An e-mail address has at most 254 characters, at most 64 before the @."),
    "email.at": N_("An e-mail address has exactly one @."),
    "email.local": N_("The part before the @ is not allowed in an e-mail address."),
    "email.domain": N_("The part after the @ must be a domain with a dot, such as example.com."),
    "email.characters": N_("An e-mail address has no blanks and no invisible characters."),
    "wechat.format": N_("A WeChat ID has 6 to 20 letters, digits, _ or - and begins with a letter."),
}


class IdentifierError(CodedError):
    """A number or address that cannot be right; codes and sentences in `MESSAGES`."""

    messages = MESSAGES


# ---------------------------------------------------------------- unified social credit code
_CODE_ALPHABET = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")
#: Registering authority and kind of body, GB 32100-2015 table 1 (with the later additions A and N).
_AUTHORITIES = re.compile(r"1[12359]|2[19]|3[1-59]|4[19]|5[1239]|6[129]|7[129]|8[19]|9[123]|A[19]|N[1239]|Y1")


def normalise_credit_code(text: str) -> str:
    """The 18 characters of a 统一社会信用代码 (GB 32100-2015) in capitals, without blanks and hyphens.

    IdentifierError: "credit_code.length", ".alphabet", ".authority", ".region", ".check_digit" (checked in this order).
    """
    code = re.sub(r"[\s\-]+", "", unicodedata.normalize("NFKC", text)).upper()
    if len(code) != 18:
        raise IdentifierError("credit_code.length", length=len(code))
    for character in code:
        if character not in _CODE_ALPHABET:
            raise IdentifierError("credit_code.alphabet", character=character)
    if not _AUTHORITIES.match(code):
        raise IdentifierError("credit_code.authority")
    if not code[2:8].isdigit():
        raise IdentifierError("credit_code.region")
    if uscc.calc_check_digit(code[:-1]) != code[-1]:
        raise IdentifierError("credit_code.check_digit")
    return code


def is_credit_code(text: str) -> bool:
    """Whether the text is a valid unified social credit code."""
    try:
        normalise_credit_code(text)
    except IdentifierError:
        return False
    return True


# ---------------------------------------------------------------- phones
@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number. `e164` "+8613800138000" ("95588" for service numbers that exist inside China only); `extension`
    digits or ""; `display` as people read it; `digits` the national digits for searching; `kind` mobile, landline,
    service or other."""

    e164: str
    extension: str
    display: str
    digits: str
    kind: str

    @property
    def stored(self) -> str:
        """One string for the database: E.164, with ";ext=" before an extension (RFC 3966)."""
        return f"{self.e164};ext={self.extension}" if self.extension else self.e164


_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})\Z")
_SERVICE = re.compile(r"(?:9[56]\d{3,4}|1[0-2]\d{3})\Z")
_EXTENSION = re.compile(
    r"\s*(?:;\s*ext\s*=|转接?|分机号?|内线|extension|ext\.?|[x#×*])\s*[:：]?\s*(\w+)\s*\Z", re.IGNORECASE
)
#: 0755-26688888-801: a third group after a number that is complete already.
_DASHED = re.compile(r"\A((?:\(?0\d{2,3}\)?[-\s]?)?\d{7,8}|400[-\s]?\d{3}[-\s]?\d{4})-(\d{1,6})\Z")


def normalise_phone(text: str, region: str = "CN") -> Phone:
    """A phone number as people write it → `Phone`; numbers without a country code belong to `region` (ISO 3166).

    Mobiles, landlines with area code, 400 and 800 numbers, service numbers (95588), foreign numbers with +; an
    extension after 转, 分机, ext, x, # or a third hyphen. Full-width digits are read. Rules of the numbers: Google's
    libphonenumber. IdentifierError: "phone.empty", "phone.format", "phone.invalid", "phone.extension".
    """
    number = unicodedata.normalize("NFKC", text).strip()
    number = re.sub("[\u2010-\u2015\u2212－—]", "-", number)
    if not number:
        raise IdentifierError("phone.empty")
    if len(number) > 60:
        raise IdentifierError("phone.format")
    plain = re.sub(r"[\s\-.()]", "", number)
    mobile = _MOBILE.match(plain)
    if mobile and plain.isascii() and (region == "CN" or plain.startswith(("+86", "0086"))):
        # The normal case of a Chinese import, thirty times as fast as the general way.
        digits = mobile[1]
        return Phone(f"+86{digits}", "", f"{digits[:3]} {digits[3:7]} {digits[7:]}", digits, "mobile")
    extension = ""
    worded = _EXTENSION.search(number)
    dashed = _DASHED.match(number) if region == "CN" and not worded else None
    if worded:
        extension, number = worded[1], number[: worded.start()].rstrip("- ")
        if not re.fullmatch(r"[0-9]{1,6}", extension):
            raise IdentifierError("phone.extension")
    elif dashed:
        number, extension = dashed[1], dashed[2]
    if re.search(r"[^0-9+()\-./\s]", number):
        raise IdentifierError("phone.format")
    if region == "CN" and _SERVICE.fullmatch(plain) and not extension:
        return Phone(plain, "", plain, plain, "service")
    if number.startswith("00"):
        number = "+" + number[2:]
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        raise IdentifierError("phone.format") from None
    if not phonenumbers.is_valid_number(parsed):
        raise IdentifierError("phone.invalid")
    home = parsed.country_code == 86
    national = phonenumbers.national_significant_number(parsed)
    kind = _KINDS.get(phonenumbers.number_type(parsed), "other")
    form = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    display = phonenumbers.format_number(parsed, form)
    if home and kind == "landline":
        area, _blank, rest = display.partition(" ")
        display = f"{area}-{rest.replace(' ', '')}" if rest else display
    if extension:
        display += f"-{extension}"
    # A Chinese landline is dialled, written and searched with its 0.
    digits = f"0{national}" if home and kind == "landline" else national
    return Phone(phonenumbers.format_number(parsed, PhoneNumberFormat.E164), extension, display, digits, kind)


_KINDS = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "other",
    PhoneNumberType.TOLL_FREE: "service",
    PhoneNumberType.SHARED_COST: "service",
    PhoneNumberType.PREMIUM_RATE: "service",
    PhoneNumberType.UAN: "service",
}


def phone_query_digits(text: str) -> str:
    """The digits of a phone (or a part of one) typed into a search box, without +86 or 0086; "" when there are other
    letters."""
    typed = unicodedata.normalize("NFKC", text).strip()
    if not re.fullmatch(r"[0-9+()\-./\s]+", typed):
        return ""
    digits = re.sub(r"\D", "", typed)
    if typed.startswith("+86"):
        return digits[2:]
    return digits[4:] if digits.startswith("0086") else digits


# ---------------------------------------------------------------- e-mail, WeChat
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*\Z")
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?\Z")


def normalise_email(text: str) -> str:
    """An e-mail address of the everyday shape (RFC 5321 without quoted local parts and address literals), the domain
    in lower case.

    Only the shape is checked, nothing is looked up. IdentifierError: "email.characters", ".at", ".length", ".local",
    ".domain".
    """
    address = unicodedata.normalize("NFKC", text.strip(" \t\u3000"))
    if any(c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in address):
        raise IdentifierError("email.characters")
    if address.count("@") != 1:
        raise IdentifierError("email.at")
    local, _at, domain = address.partition("@")
    if len(address) > 254 or len(local.encode()) > 64:
        raise IdentifierError("email.length")
    if not _LOCAL.match(local):
        raise IdentifierError("email.local")
    labels = domain.lower().split(".")
    if (
        len(labels) < 2
        or not all(_LABEL.match(label) for label in labels)
        or labels[-1].isdigit()
        or len(labels[-1]) < 2
    ):
        raise IdentifierError("email.domain")
    return f"{local}@{'.'.join(labels)}"


_WECHAT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}\Z")


def normalise_wechat(text: str) -> str:
    """A WeChat ID: 6 to 20 letters, digits, _ or -, beginning with a letter (微信号规则). A mobile number under which
    an account is found is taken too and kept as its digits. IdentifierError "wechat.format"."""
    name = unicodedata.normalize("NFKC", text).strip()
    mobile = _MOBILE.match(re.sub(r"[\s-]", "", name))
    if mobile and mobile[1].isascii():
        return mobile[1]
    if not _WECHAT.match(name):
        raise IdentifierError("wechat.format")
    return name
