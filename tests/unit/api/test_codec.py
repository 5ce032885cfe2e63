"""The codec: dataclasses out of the API's objects and back, with the exact field in every error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest

from alembic_operator.api.codec import OMIT_ZERO, Unreadable, decode, encode


def shout(value: Any, path: str) -> str:
    return f"{value}! at {path}"


@dataclass(frozen=True)
class Wheel:
    size: int
    maker: str = "any"


@dataclass(frozen=True)
class Car:
    front_wheel: Wheel
    spare: Wheel | None = None
    others: tuple[Wheel, ...] = ()
    name: Annotated[str, shout] = ""
    electric: bool = False
    labels: Mapping[str, Any] = field(default_factory=dict)
    trips: int = 0
    flaws: int = field(default=0, metadata=OMIT_ZERO)


@dataclass(frozen=True)
class Label:
    text: str = ""


SMALL = {"frontWheel": {"size": 17}}
FULL = {
    "frontWheel": {"size": 17, "maker": "Acme"},
    "spare": {"size": 16},
    "others": [{"size": 1}, {"size": 2}],
    "name": "Otto",
    "electric": True,
    "labels": {"a": "b"},
    "trips": 3,
    "flaws": 1,
}


def test_object_is_read_by_the_types_of_the_fields() -> None:
    assert decode(Car, FULL, "spec.car") == Car(
        Wheel(17, "Acme"), Wheel(16), (Wheel(1), Wheel(2)), "Otto! at spec.car.name", True, {"a": "b"}, 3, 1
    )


@pytest.mark.parametrize("unsaid", [{}, dict.fromkeys(FULL.keys() - SMALL.keys()), {"name": ""}, {"later": 1}])
def test_field_has_its_default_when_the_object_does_not_say_it(unsaid: dict[str, Any]) -> None:
    assert decode(Car, {**SMALL, **unsaid}, "spec.car") == Car(Wheel(17))


def test_empty_text_is_the_default_when_that_is_another_text() -> None:
    assert decode(Wheel, {"size": 1, "maker": ""}, "w") == Wheel(1, "any")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"frontWheel": None}, "spec.car.frontWheel: is required"),
        ({"frontWheel": {}}, "spec.car.frontWheel.size: is required"),
        ({"frontWheel": "round"}, "spec.car.frontWheel: must be an object"),
        ({"others": [{"size": 1}, {"size": "2"}]}, "spec.car.others[1].size: must be an integer"),
        ({"others": {"size": 1}}, "spec.car.others: must be a list"),
        ({"spare": {"size": 1, "maker": 5}}, "spec.car.spare.maker: must be a string"),
        ({"trips": True}, "spec.car.trips: must be an integer"),
        ({"electric": 1}, "spec.car.electric: must be true or false"),
        ({"labels": []}, "spec.car.labels: must be an object"),
    ],
)
def test_error_names_the_field_when_it_cannot_be_read(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(Car, {**SMALL, **change}, "spec.car")

    assert str(caught.value) == fault


def test_what_cannot_be_read_is_left_out_when_the_reader_is_lenient() -> None:
    raw = {**SMALL, "spare": {"maker": "Acme"}, "others": [{"size": 1}, {}, "x", {"size": 2, "maker": 3}], "trips": "x"}

    assert decode(Car, raw, "car", lenient=True) == Car(Wheel(17), others=(Wheel(1), Wheel(2)))


def test_lenient_reader_refuses_an_object_that_lacks_what_it_needs() -> None:
    with pytest.raises(Unreadable):
        decode(Car, {"trips": 1}, "car", lenient=True)


def test_field_is_left_out_when_it_says_nothing() -> None:
    assert encode(Car(Wheel(0, ""))) == {"frontWheel": {"size": 0}, "electric": False, "trips": 0}
    assert encode(Label()) == {}


def test_object_is_written_as_it_was_read() -> None:
    car = Car(Wheel(17), Wheel(16), (Wheel(1),), trips=3, flaws=2)

    assert decode(Car, encode(car), "car") == car
