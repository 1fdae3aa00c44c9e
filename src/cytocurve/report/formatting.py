"""Formatting of numbers for readers; undefined numbers become a dash."""


def score(value: float | None) -> str:
    """A score with three decimals."""
    return "–" if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    """A difference with three decimals and its sign."""
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")


def count(value: float) -> str:
    """A number with thousands separators."""
    return f"{value:,}"


def p_value(value: float | None) -> str:
    """A p-value with two significant digits, or as a bound below 0.0001."""
    if value is None:
        return "–"
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def percent(value: float) -> str:
    """A probability in percent; as a bound below 0.5 % and above 99.5 %."""
    return "< 1 %" if value < 0.005 else "> 99 %" if 0.995 <= value < 1 else f"{100 * value:.0f} %"


def share(value: float | None) -> str:
    """A share with three decimals; as a bound where these would make it 0 or 1 although it is not."""
    if value is None or value in (0, 1):
        return score(value)
    return "< 0.001" if value < 0.0005 else "> 0.999" if value >= 0.9995 else score(value)


def target(value: float) -> str:
    """A target as the slider shows it: 0.95, 0.955."""
    return f"{value:.3f}".removesuffix("0")


def interval(low: float | None, high: float | None, missing: str = "no interval: too few runs") -> str:
    """Both ends of an interval of scores."""
    return missing if low is None or high is None else f"{score(low)} to {score(high)}"
