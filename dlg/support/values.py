"""What values of fields mean: files write numbers as text, and yes as 1, "1", "True" or true."""

from __future__ import annotations

TRUE_WORDS = frozenset({"1", "true", "yes", "y", "on", "t"})
FALSE_WORDS = frozenset({"0", "false", "no", "n", "off", "f", "", "none"})


class IllTypedError(ValueError):
    """A value is not of the type it should have."""


def truth(value: object) -> bool:
    """Return what `value` means as a yes or no; anything that is not a yes is a no."""
    return value is True or ("" if value is None else str(value)).strip().lower() in TRUE_WORDS


def integer(value: object) -> int:
    """Return `value` as a whole number: 4, "4", 4.0, "4.0"; refuses all others."""
    number = real(value)
    if not number.is_integer():
        raise IllTypedError(f"{value!r} is not a whole number")
    return int(value) if isinstance(value, int | float) else _exact(str(value), number)


def real(value: object) -> float:
    """Return `value` as a finite number; refuses all others, also true and false."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = float("inf")
        if abs(number) < float("inf"):
            return number
    raise IllTypedError(f"{value!r} is not a number")


def boolean(value: object) -> bool:
    """Return `value` as a yes or no; refuses what is neither."""
    if not truth(value) and str(value).strip().lower() not in FALSE_WORDS:
        raise IllTypedError(f"{value!r} is neither true nor false")
    return truth(value)


def _exact(text: str, number: float) -> int:
    try:
        return int(text)
    except ValueError:
        return int(number)
