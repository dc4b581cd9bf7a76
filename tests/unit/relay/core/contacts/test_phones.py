"""Numbers that Meta writes in two ways."""

import pytest

from relay.core.contacts.phones import dialled, normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5511987654321", "551187654321"),
        ("5521999998888", "552199998888"),
        ("5215512345678", "525512345678"),
        ("5491123456789", "541123456789"),
        ("5493515551234", "543515551234"),
    ],
)
def test_both_spellings_have_one(one: str, other: str) -> None:
    assert normalised(one) == normalised(other) is not None
    assert normalised(str(normalised(one))) == normalised(one)


@pytest.mark.parametrize(
    "digits",
    [
        "551134567890",  # a landline in São Paulo
        "5511",
        "4915112345678",
        "14155550123",
        "52551234567",
        "5411234567",
        "",
        "US.13491208655302741918",
        "+5511987654321",
        "٥٥١١٩٨٧٦٥٤٣٢١",
    ],
)
def test_others_have_just_one(digits: str) -> None:
    assert normalised(digits) is None


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("4915112345678", "4915112345678"),
        ("+49 151 12345678", "4915112345678"),
        ("\u202a+49\u00a0151\u20111234.5678\u202c", "4915112345678"),
        ("+49 (0)151/1234-5678", "4915112345678"),
        ("0049151 12345678", "4915112345678"),
        ("+1 (415) 555-0123", "14155550123"),
    ],
)
def test_a_number_as_somebody_dials_it(written: str, digits: str) -> None:
    assert dialled(written) == digits


@pytest.mark.parametrize(
    "written",
    ["", "+", "0151 12345678", "000151123456", "+0049151123456", "4711", "4" * 16, "DE.1234567", "a 4915112345678",
     "+49 151 12345678 or 79", "٤٩١٥١١٢٣٤٥٦٧", " " * 100 + "4915112345678"],
)  # fmt: skip
def test_what_cannot_be_dialled(written: str) -> None:
    assert dialled(written) is None
