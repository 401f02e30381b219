"""How a frozen value is written as JSON values, decided once from its type hint, and read back equal.

Each form writes one kind of hint. Arrays are set aside (`ArrayShelf`) and named by their digest, so that the same rows, which
many runs share, are kept once. JSON knows no NaN or infinity: they are written ``{"number": "nan"}``.
"""

from __future__ import annotations

import hashlib
import math
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from functools import cache, cached_property
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from liebig.core import evidence, study
from liebig.core.evidence import Measurement
from liebig.core.recipe import Recipe
from liebig.core.study import Entry

AnyArray = NDArray[Any]
ParseRecipe = Callable[[Mapping[str, Any]], Recipe]


class Unreadable(ValueError):
    """The text does not say what its type requires; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True)
class ArrayShelf:
    """Arrays by digest, beside the text that names them."""

    arrays: dict[str, AnyArray] = field(default_factory=dict)

    def put(self, array: AnyArray) -> str:
        narrow = np.ascontiguousarray(narrowed(array))
        digest = hashlib.blake2b(narrow.tobytes(), digest_size=16, person=narrow.dtype.str.encode()).hexdigest()
        name = f"{digest}-{'x'.join(map(str, narrow.shape))}"
        self.arrays[name] = narrow
        return name


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading needs besides the text: the arrays by name, and how a recipe is made from plain values."""

    array: Callable[[str], AnyArray]
    parse_recipe: ParseRecipe


def narrowed(array: AnyArray) -> AnyArray:
    """float64 as float32 where that keeps seven digits, int64 as int32 where every value fits; else as it is."""
    if array.dtype == np.float64:
        with np.errstate(over="ignore", under="ignore"):
            narrow = array.astype(np.float32)
        return narrow if np.allclose(narrow, array, rtol=2e-7, atol=0.0, equal_nan=True) else array
    if array.dtype == np.int64:
        limits = np.iinfo(np.int32)
        fits = array.size == 0 or (array.min() >= limits.min and array.max() <= limits.max)
        return array.astype(np.int32) if fits else array
    return array


class Form(ABC):
    """How values of one type hint are written and read."""

    @abstractmethod
    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        """`value` as JSON values. Raises TypeError when it is not of the hinted type."""

    @abstractmethod
    def read(self, plain: Any, reading: Reading) -> Any:
        """The value that was written. Raises Unreadable."""

    @abstractmethod
    def claims(self, value: Any) -> bool:
        """True when `value` is of the hinted type: chooses between the parts of a union."""

    @abstractmethod
    def claims_plain(self, plain: Any) -> bool:
        """The same for a JSON value."""


@dataclass(frozen=True, slots=True)
class Scalar(Form):
    """str, bool and None: JSON values as they are."""

    kind: type

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        if not self.claims(value):
            raise TypeError(f"{self.kind.__name__} was required, however {value!r} came")
        return value

    def read(self, plain: Any, reading: Reading) -> Any:
        if not self.claims(plain):
            raise Unreadable(f"{self.kind.__name__} was required, however {plain!r} came")
        return plain

    def claims(self, value: Any) -> bool:
        return type(value) is self.kind

    def claims_plain(self, plain: Any) -> bool:
        return self.claims(plain)


@dataclass(frozen=True, slots=True)
class Number(Form):
    """int and float. A whole number in a float field stays whole: templates may print it so."""

    whole: bool

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        if not self.claims(value):
            raise TypeError(f"a {'whole ' if self.whole else ''}number was required, however {value!r} came")
        if isinstance(value, (int, np.integer)):
            return int(value)
        return plain_number(float(value))

    def read(self, plain: Any, reading: Reading) -> Any:
        if type(plain) is int or (type(plain) is float and not self.whole):
            return plain
        if not self.whole and type(plain) is dict and plain.keys() == {"number"}:
            return float(plain["number"])
        raise Unreadable(f"a number was required, however {plain!r} came")

    def claims(self, value: Any) -> bool:
        if isinstance(value, bool):
            return False
        return isinstance(value, (int, np.integer) if self.whole else (int, float, np.integer, np.floating))

    def claims_plain(self, plain: Any) -> bool:
        return (type(plain) in {int, float}) or (type(plain) is dict and plain.keys() == {"number"})


@dataclass(frozen=True, slots=True)
class Choice(Form):
    """An enumeration, by value."""

    kind: type[Enum]

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        return self.kind(value).value

    def read(self, plain: Any, reading: Reading) -> Any:
        try:
            return self.kind(plain)
        except ValueError as error:
            raise Unreadable(f"{plain!r} is no {self.kind.__name__}") from error

    def claims(self, value: Any) -> bool:
        return isinstance(value, self.kind)

    def claims_plain(self, plain: Any) -> bool:
        return any(plain == each.value for each in self.kind)


@dataclass(frozen=True, slots=True)
class Sequence(Form):
    """tuple[T, ...]"""

    inner: Form

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        return [self.inner.write(each, shelf) for each in value]

    def read(self, plain: Any, reading: Reading) -> Any:
        if type(plain) is not list:
            raise Unreadable(f"a list was required, however {plain!r} came")
        return tuple([self.inner.read(each, reading) for each in plain])

    def claims(self, value: Any) -> bool:
        return isinstance(value, tuple)

    def claims_plain(self, plain: Any) -> bool:
        return type(plain) is list


@dataclass(frozen=True, slots=True)
class Row(Form):
    """tuple[A, B, C]"""

    inner: tuple[Form, ...]

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        return [form.write(each, shelf) for form, each in zip(self.inner, value, strict=True)]

    def read(self, plain: Any, reading: Reading) -> Any:
        if type(plain) is not list or len(plain) != len(self.inner):
            raise Unreadable(f"a list of {len(self.inner)} was required, however {plain!r} came")
        return tuple(form.read(each, reading) for form, each in zip(self.inner, plain, strict=True))

    def claims(self, value: Any) -> bool:
        return isinstance(value, tuple) and len(value) == len(self.inner)

    def claims_plain(self, plain: Any) -> bool:
        return type(plain) is list and len(plain) == len(self.inner)


@dataclass(frozen=True, slots=True)
class Dictionary(Form):
    """Mapping[str, T]"""

    inner: Form

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        if not all(isinstance(key, str) for key in value):
            raise TypeError(f"the keys of a mapping must be text, however {list(value)!r} came")
        return {str(key): self.inner.write(each, shelf) for key, each in value.items()}

    def read(self, plain: Any, reading: Reading) -> Any:
        if type(plain) is not dict:
            raise Unreadable(f"a mapping was required, however {plain!r} came")
        return {key: self.inner.read(each, reading) for key, each in plain.items()}

    def claims(self, value: Any) -> bool:
        return isinstance(value, Mapping)

    def claims_plain(self, plain: Any) -> bool:
        return type(plain) is dict


@dataclass(frozen=True, slots=True)
class ArrayForm(Form):
    """A numpy array: its digest here, its bytes on the shelf. Read back in the hinted type, not writeable."""

    dtype: np.dtype[Any]

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        return {"array": shelf.put(np.asarray(value, dtype=self.dtype))}

    def read(self, plain: Any, reading: Reading) -> Any:
        if type(plain) is not dict or plain.keys() != {"array"}:
            raise Unreadable(f"the name of an array was required, however {plain!r} came")
        array = reading.array(plain["array"]).astype(self.dtype, copy=False)
        array.flags.writeable = False
        return array

    def claims(self, value: Any) -> bool:
        return isinstance(value, np.ndarray)

    def claims_plain(self, plain: Any) -> bool:
        return type(plain) is dict and plain.keys() == {"array"}


@dataclass(frozen=True, slots=True)
class RecipeForm(Form):
    """A recipe, as the plain values that its own room reads."""

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        return {"recipe": escaped(value.plain())}

    def read(self, plain: Any, reading: Reading) -> Any:
        if not self.claims_plain(plain):
            raise Unreadable(f"a recipe was required, however {plain!r} came")
        return reading.parse_recipe(unescaped(plain["recipe"]))

    def claims(self, value: Any) -> bool:
        return isinstance(value, Recipe)

    def claims_plain(self, plain: Any) -> bool:
        return type(plain) is dict and plain.keys() == {"recipe"}


@dataclass(frozen=True, eq=False)
class Record(Form):
    """A dataclass of exactly this type, by field name. A field with a default may be absent: it came later."""

    kind: type

    @cached_property
    def parts(self) -> dict[str, tuple[Form, bool]]:
        """Form of each field, and whether it must be there. Found at first use: records may hold themselves."""
        hints = get_type_hints(self.kind)
        return {
            each.name: (form_of(hints[each.name]), each.default is MISSING and each.default_factory is MISSING)
            for each in fields(self.kind)
        }

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        if type(value) is not self.kind:
            raise TypeError(f"{self.kind.__name__} was required, however {type(value).__name__} came")
        return {name: form.write(getattr(value, name), shelf) for name, (form, _) in self.parts.items()}

    def read(self, plain: Any, reading: Reading) -> Any:
        if type(plain) is not dict:
            raise Unreadable(f"{self.kind.__name__} was required, however {plain!r} came")
        for name in plain:
            if name not in self.parts:
                raise Unreadable(f'{self.kind.__name__} has no field "{name}" in this version')
        for name, (_, needed) in self.parts.items():
            if needed and name not in plain:
                raise Unreadable(f'the field "{name}" of {self.kind.__name__} is absent')
        return self.kind(**{name: self.parts[name][0].read(inner, reading) for name, inner in plain.items()})

    def claims(self, value: Any) -> bool:
        return type(value) is self.kind

    def claims_plain(self, plain: Any) -> bool:
        return type(plain) is dict and all(name in self.parts for name in plain)


@dataclass(frozen=True, slots=True)
class Family(Form):
    """One of the children of a parent class, under its class name."""

    parent: type
    members: Mapping[str, type]

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        if self.members.get(type(value).__name__) is not type(value):
            raise TypeError(f"{type(value).__name__} is no {self.parent.__name__} that can be kept")
        return {"is": type(value).__name__, **form_of(type(value)).write(value, shelf)}

    def read(self, plain: Any, reading: Reading) -> Any:
        if type(plain) is not dict or plain.get("is") not in self.members:
            name = plain.get("is") if type(plain) is dict else plain
            raise Unreadable(f'this version knows no {self.parent.__name__.lower()} "{name}"')
        rest = {name: inner for name, inner in plain.items() if name != "is"}
        return form_of(self.members[plain["is"]]).read(rest, reading)

    def claims(self, value: Any) -> bool:
        return isinstance(value, self.parent)

    def claims_plain(self, plain: Any) -> bool:
        return type(plain) is dict and "is" in plain


@dataclass(frozen=True, slots=True)
class Either(Form):
    """A union: the first part that claims the value. Parts must differ in how they look as JSON."""

    parts: tuple[Form, ...]

    def write(self, value: Any, shelf: ArrayShelf) -> Any:
        for part in self.parts:
            if part.claims(value):
                return part.write(value, shelf)
        raise TypeError(f"no part of the union takes {value!r}")

    def read(self, plain: Any, reading: Reading) -> Any:
        for part in self.parts:
            if part.claims_plain(plain):
                return part.read(plain, reading)
        raise Unreadable(f"no part of the union takes {plain!r}")

    def claims(self, value: Any) -> bool:
        return any(part.claims(value) for part in self.parts)

    def claims_plain(self, plain: Any) -> bool:
        return any(part.claims_plain(plain) for part in self.parts)


def _children(parent: type) -> dict[str, type]:
    """The children of `parent` that core names: they are what can be kept. (``__subclasses__`` would also give the
    classes that ``slots=True`` replaced.)"""
    found = [*vars(evidence).values(), *vars(study).values()]
    return {
        each.__name__: each
        for each in found
        if isinstance(each, type) and issubclass(each, parent) and each is not parent
    }


#: Everything that a study can hold, by name.
ENTRIES: Final[Mapping[str, type[Entry]]] = _children(Entry)
MEASUREMENTS: Final[Mapping[str, type[Measurement]]] = _children(Measurement)


def form_of(hint: Any) -> Form:
    """The form of a type hint, decided once. Raises TypeError for hints that cannot be kept."""
    return _form_of(hint)


@cache
def _form_of(hint: Any) -> Form:
    origin, arguments = get_origin(hint), get_args(hint)
    meant = getattr(origin, "__value__", None)  # a named alias, as NDArray is from numpy 2.5 on
    if meant is not None:
        return _form_of(meant[arguments])
    if origin in {Union, types.UnionType}:
        return Either(tuple(form_of(each) for each in arguments))
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return Sequence(form_of(arguments[0]))
        return Row(tuple(form_of(each) for each in arguments))
    if origin is np.ndarray:
        return ArrayForm(np.dtype(get_args(arguments[1])[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Dictionary(form_of(arguments[1]))
    if isinstance(hint, type):
        return _form_of_class(hint)
    raise TypeError(f"{hint!r} has no form in which it could be kept")


def _form_of_class(kind: type) -> Form:
    if kind in {int, float}:
        return Number(whole=kind is int)
    if kind in {str, bool, types.NoneType}:
        return Scalar(kind)
    if issubclass(kind, Enum):
        return Choice(kind)
    if kind is Recipe:
        return RecipeForm()
    if kind is Measurement:
        return Family(kind, MEASUREMENTS)
    if is_dataclass(kind):
        return Record(kind)
    raise TypeError(f"{kind.__name__} has no form in which it could be kept")


def plain_number(value: float) -> float | dict[str, str]:
    """A float as JSON: itself, or ``{"number": "nan"}`` (inf, -inf) where JSON has no word for it."""
    return value if math.isfinite(value) else {"number": str(value)}


def escaped(value: Any) -> Any:
    """Plain values (nested dicts and lists) with numbers that JSON does not know written out."""
    if isinstance(value, dict):
        return {key: escaped(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [escaped(inner) for inner in value]
    return plain_number(value) if isinstance(value, float) else value


def unescaped(value: Any) -> Any:
    """The inverse of `escaped`."""
    if isinstance(value, dict):
        if value.keys() == {"number"} and isinstance(value["number"], str):
            return float(value["number"])
        return {key: unescaped(inner) for key, inner in value.items()}
    return [unescaped(inner) for inner in value] if isinstance(value, list) else value
