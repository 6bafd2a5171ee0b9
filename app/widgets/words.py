"""Numbers as people read them."""

from dfn.words import _


def million(value: float) -> str:
    """`0.93 M`, `12.4 k`: three digits and a unit."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:g}"


def percent(share: float) -> str:
    """`90.3 %`"""
    return f"{100 * share:.1f} %"


def plural(count: int, noun: str) -> str:
    """`1 path`, `3 paths`"""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """`4 s`, `2 min 5 s`, `3 h 10 min`"""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return _("{seconds} s").format(seconds=seconds)
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        text = _("{minutes} min {seconds} s") if rest else _("{minutes} min")
        return text.format(minutes=minutes, seconds=rest)
    hours, minutes = divmod(minutes, 60)
    return _("{hours} h {minutes} min").format(hours=hours, minutes=minutes)
