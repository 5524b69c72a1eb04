"""How the page writes a number."""


def written(value: float, digits: int, *, signed: bool = False) -> str:
    """A number with a fixed count of decimals and a true minus; a zero has no sign."""
    text = f"{abs(value):.{digits}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return ("−" if value < 0 else "+" if signed else "") + text
