"""ETag and If-None-Match (RFC 9110): a poll that finds nothing new costs no body."""


def etag_of(version: int) -> str:
    """Makes a weak tag: version and job are read one after the other, so a body may be newer than its tag."""
    return f'W/"{version}"'


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Compares weakly with a list of tags, or with `*`."""
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags
