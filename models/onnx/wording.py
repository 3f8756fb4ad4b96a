"""Words of a model's author, made fit to stand in our own sentences."""


def shown(text: str, *, longest: int = 40) -> str:
    """Printable ASCII in double quotes, cut where it is long: nothing in it ends a line, a string or a tag."""
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\<>&' else "?" for c in text[:longest])
    return f'"{plain}..."' if len(text) > longest else f'"{plain}"'
