"""Fields that know no domain: what they take, what they refuse with a sentence of ours, what stays as it was typed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from PIL import Image
from werkzeug.datastructures import MultiDict

from portal.core.forms import (
    GIVEN,
    REQUIRED,
    BoxesField,
    ChoiceField,
    DayField,
    Form,
    IdField,
    LongText,
    MomentField,
    NumberField,
    OptionField,
    TextField,
    VersionedForm,
    YuanField,
    at_most,
    between,
    options,
)
from portal.core.numbers import id_from, whole_from
from portal.core.uploads.inspecting import inspect_photo
from portal.core.uploads.problems import UploadProblem


@pytest.fixture(autouse=True)
def _request() -> Iterator[None]:
    app = Flask(__name__)
    app.config.update(SECRET_KEY="tests only", WTF_CSRF_ENABLED=False, BABEL_DEFAULT_LOCALE="en")
    Babel(app)
    with app.test_request_context():
        yield


class Picked(IdField):
    """Two rows: 7 is called seven, and 8 too."""

    def name_of(self, value: int) -> str:
        return {7: "seven", 8: "eight"}.get(value, "")

    def find(self, text: str) -> int | None:
        return {"seven": 7, "eight": 8}.get(text)


class Sample(VersionedForm):
    """One field of each kind."""

    text = TextField("Text")
    long = LongText("Long", [at_most(20)])
    day = DayField("Day")
    must = DayField("Must", [REQUIRED])
    moment = MomentField("Moment")
    number = NumberField("Number", [between(-5, 5)])
    yuan = YuanField("Yuan")
    choice = ChoiceField("Choice", choices=options({1: "one", 2: "two"}, "none"), coerce=id_from)
    option = OptionField("Option", choices=options([("a", "A"), ("b", "B")]), default="a")
    boxes = BoxesField("Boxes", choices=options([(1, "one"), (2, "two")]), coerce=int)
    row = Picked("Row")


def sent(**fields: Any) -> Sample:
    """The form after these fields were sent."""
    form = Sample(MultiDict({"option": "a"} | fields))
    form.validate()
    return form


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("text", " a\u202eb\u200b ", "ab"),
        ("long", "a\r\n\r\n\r\n\r\nb\x00", "a\n\nb"),
        ("day", "2026-03-05", date(2026, 3, 5)),
        ("day", "1900-01-01", date(1900, 1, 1)),
        ("day", "", None),
        ("moment", "2026-03-05T14:30", datetime(2026, 3, 5, 14, 30)),  # noqa: DTZ001 - typed without a zone
        ("moment", "2026-03-05 14:30", datetime(2026, 3, 5, 14, 30)),  # noqa: DTZ001
        ("number", " -5 ", -5),
        ("number", "", None),
        ("yuan", "￥1,234.5", Decimal("1234.5")),
        ("choice", "2", 2),
        ("choice", "", None),
        ("boxes", ["1", "2"], [1, 2]),
    ],
)
def test_what_fits_is_taken(name: str, typed: Any, value: Any) -> None:
    form = sent(**{name: typed})
    assert form[name].data == value
    assert not form[name].errors


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("day", "05.03.2026", "a date such as"),
        ("day", "2026-02-30", "a date such as"),
        ("day", "0203-01-01", "between 1900 and 2100"),
        ("day", "2101-01-01", "between 1900 and 2100"),
        ("must", "0203-01-01", "between 1900 and 2100"),
        ("must", "soon", "a date such as"),
        ("must", "", "must be filled in"),
        ("moment", "tomorrow", "date and time such as"),
        ("moment", "9999-12-31T23:59", "between 1900 and 2100"),
        ("number", "1.5", "whole number"),
        ("number", "--5", "whole number"),
        ("number", "²", "whole number"),
        ("number", "9" * 5000, "whole number"),
        ("number", "6", "from -5 to 5"),
        ("yuan", "free", "amount in yuan"),
        ("choice", "3", "one of the list"),
        ("option", "c", "one of the list"),
        ("boxes", ["1", "x"], "one of the list"),
        ("boxes", ["3"], "one of the list"),
        ("long", "x" * 21, "At most 20"),
    ],
)
def test_what_does_not_fit_is_refused_in_our_words_and_stays(name: str, typed: Any, words: str) -> None:
    form = sent(**{name: typed})
    (message,) = form[name].errors
    assert words in str(message)
    if name in {"day", "must", "moment", "number", "yuan", "long"}:
        assert form[name]._value() == typed, "what was typed stays"


@pytest.mark.parametrize(
    ("value", "text", "found", "shown"),
    [
        ("7", None, 7, "seven"),
        ("7", "seven", 7, "seven"),
        ("", "eight", 8, "eight"),
        ("7", "eight", 8, "eight"),
        ("7", "", None, ""),
        ("", "nine", None, "nine"),
        (str(2**62), None, None, ""),
        ("²", None, None, ""),
    ],
)
def test_a_picker_goes_by_the_text_where_it_differs(
    value: str, text: str | None, found: int | None, shown: str
) -> None:
    form = sent(row=value, **({} if text is None else {"row_text": text}))
    assert (form.row.data, form.row.text) == (found, shown)
    assert bool(form.row.errors) is (shown == "nine")


def test_a_picker_that_must_be_filled_in_takes_a_name_without_script() -> None:
    class Needed(Form):
        row = Picked("Row", [GIVEN])

    assert Needed(MultiDict([("row", ""), ("row_text", "seven")])).validate()
    for fields, words in (({"row": "", "row_text": "nine"}, "more than one"), ({"row": ""}, "filled in")):
        form = Needed(MultiDict(fields))
        assert not form.validate()
        assert words in str(form.row.errors[0])


def test_numbers_out_of_texts_are_bounded() -> None:
    assert [id_from(text) for text in ("1", " 12 ", 5, "0", "-1", "²", "١", "", None, 2**62, "9" * 5000)] == [
        *(1, 12, 5),
        *[None] * 8,
    ]
    assert [whole_from(text) for text in ("-3", "+4", "1234567890", "1e3", "٣", "")] == [-3, 4, None, None, None, None]


def test_versions_are_numbers_or_nothing() -> None:
    assert sent(version="12").seen_version == 12
    assert sent(version="²").seen_version is None
    assert sent().seen_version is None


def test_photos_of_three_formats_become_small_pictures_without_metadata() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        out = io.BytesIO()
        Image.new("RGB", (3000, 1000), "red").save(out, kind)
        found = inspect_photo("照片.bmp", out.getvalue(), 2**20)
        with Image.open(io.BytesIO(found.content)) as made:
            assert (made.format, made.size) == ("JPEG", (2400, 800))
        assert found.name == "照片.jpg"
    for content in (b"", b"\xff\xd8\xffbroken", b"%PDF-1.7", b"RIFF0000AVI "):
        with pytest.raises(UploadProblem):
            inspect_photo("x.jpg", content, 2**20)
