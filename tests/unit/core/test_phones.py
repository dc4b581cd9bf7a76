"""Numbers that Meta writes in two ways."""

import pytest

from relay.core.phones import normalised


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
