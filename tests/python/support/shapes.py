"""Answers read as a typed client (Gson behind Retrofit) reads them: by a declared shape, every field of it.

A shape is a type (`int`, `str`, `bool`, `float` for any number), a pattern that a text has to match as a whole,
`[shape]` for a list, `{name: shape}` for an object, `Maybe(shape)` where null may stand, or `OneOf(shape, …)`. Any other
value stands for itself. An object has the fields of its shape, and no others; those whose names end in `?` may be missing.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Maybe:
    """Null, or of that shape."""

    shape: Any


class OneOf:
    """Of one of those shapes."""

    def __init__(self, *shapes: Any) -> None:
        self.shapes = shapes


def read(text: str | bytes) -> Any:
    """JSON by the letter of RFC 8259: UTF-8, no NaN or Infinity, no name twice in an object."""
    text = text.decode("utf-8") if isinstance(text, bytes) else text
    return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    assert len(made) == len(pairs), f"a name stands twice: {[name for name, _ in pairs]}"
    return made


def _no_number(text: str) -> None:
    raise AssertionError(f"{text} is not JSON")


def checked(value: Any, shape: Any, where: str = "answer") -> Any:
    """The value, after a look at all of it."""
    if isinstance(shape, Maybe):
        return value if value is None else checked(value, shape.shape, where)
    if isinstance(shape, OneOf):
        problems = []
        for one in shape.shapes:
            try:
                return checked(value, one, where)
            except AssertionError as problem:
                problems.append(str(problem))
        raise AssertionError(" / ".join(problems))
    if isinstance(shape, re.Pattern):
        assert isinstance(value, str) and shape.fullmatch(value), f"{where}: {value!r} is not {shape.pattern}"
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{where}: {value!r} is no list"
        for place, item in enumerate(value):
            checked(item, shape[0], f"{where}[{place}]")
    elif isinstance(shape, dict):
        _check_object(value, shape, where)
    elif shape is float:
        assert type(value) in (int, float), f"{where}: {value!r} is no number"
    elif isinstance(shape, type):
        # `True` is an `int` to Python, and none to a client.
        assert type(value) is shape, f"{where}: {value!r} is no {shape.__name__}"
    else:
        assert type(value) is type(shape) and value == shape, f"{where}: {value!r} is not {shape!r}"
    return value


def _check_object(value: Any, shape: dict[str, Any], where: str) -> None:
    assert isinstance(value, dict), f"{where}: {value!r} is no object"
    names = {name.removesuffix("?") for name in shape}
    assert set(value) <= names, f"{where}: nobody declared {set(value) - names}"
    for name, of in shape.items():
        plain = name.removesuffix("?")
        if plain in value:
            checked(value[plain], of, f"{where}.{plain}")
        else:
            assert name.endswith("?"), f"{where}.{plain} is missing"
