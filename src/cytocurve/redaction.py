"""Hide passwords and tokens in URLs, and in messages that quote them."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, unquote

HIDDEN = "…"

SHORTEST = 3
"""Minimum length of a secret that is hidden outside of URLs: a shorter one would occur in ordinary words."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(.*)", re.DOTALL)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.-]*)(:\d{1,5})?(?=/|$)")
_SECRET_NAME = r"[\w-]*(?:pass|pwd|secret|token|key|auth|cred|sig)[\w-]*"  # noqa: S105
_PARAMETERS = re.compile(rf"[?].*|[#;&][^/]*=.*|(?<=/){_SECRET_NAME}=.*", re.DOTALL | re.IGNORECASE)
_USER_IN_TEXT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(?!/)[^\s'\"<>]*@")
_QUERY_IN_TEXT = re.compile(r"\?[^\s'\"<>()]*=[^\s'\"<>()]*")
_NAMED_IN_TEXT = re.compile(rf"\b({_SECRET_NAME}=)[^\s'\"<>()&;,]+", re.IGNORECASE)


def shown(url: str) -> str:
    """A URL or a path without what may be a secret: user, password and parameters, even if the URL is malformed.

    In a malformed URL, a password is not separable from the host or the path: more is hidden than necessary.
    """
    text = url.strip()
    match = _SCHEME.fullmatch(text)
    if match is None:
        return _shown_path(text)
    scheme, rest = match.groups()
    if rest.startswith("/"):
        return f"{scheme}/{_shown_path(rest[1:])}"
    return scheme + _shown_address(rest)


def without_secrets(text: str, *urls: str, secrets: Iterable[str] = ()) -> str:
    """A message without the secrets of these URLs and these ``secrets``, nor user, password and query of other URLs."""
    for url in urls:
        text = text.replace(url, shown(url))
    hidden = {each for url in urls for each in _secrets(url)} | {each for each in secrets if len(each) >= SHORTEST}
    for secret in sorted(hidden, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _USER_IN_TEXT.sub(rf"\1{HIDDEN}@", text)
    text = _QUERY_IN_TEXT.sub(f"?{HIDDEN}", text)
    return _NAMED_IN_TEXT.sub(rf"\1{HIDDEN}", text)


def _shown_path(path: str) -> str:
    """A path without parameters; ``name@`` may begin the name of a folder, but not that of a relative path."""
    before, at, after = path.rpartition("@")
    if at and (":" in before or "?" in before or not path.startswith(("/", ".", "~"))):
        return HIDDEN if "?" in before else f"{HIDDEN}@{_PARAMETERS.sub(HIDDEN, after)}"
    return _PARAMETERS.sub(HIDDEN, path)


def _shown_address(rest: str) -> str:
    """Host, port and path; everything up to the last ``@`` may be a password."""
    before, at, after = rest.rpartition("@")
    if set(before) & set("?#="):
        return HIDDEN  # what follows the @ may be the end of a parameter
    user = f"{HIDDEN}@" if at else ""
    host = _HOST.match(after)
    if host is None:
        return user + HIDDEN
    path = after[host.end() :]
    plain = re.split(r"[?#;:=&\s]", path, maxsplit=1)[0]
    return user + host[0] + plain + (HIDDEN if plain != path else "")


def _secrets(url: str) -> Iterator[str]:
    """Everything in a URL that ``shown`` hides, as a library may quote it: encoded, decoded or in parts."""
    text = url.strip()
    match = _SCHEME.fullmatch(text)
    rest = match[2] if match else text
    before, _, after = rest.rpartition("@")
    hidden = [before, before.partition(":")[2]] if before and f"{before}@" not in shown(url) else []
    hidden += [part for part in re.split(r"[?#]", rest)[1:] if part not in shown(url)]
    hidden += re.findall(r"=([^&;]*)", after)
    pieces = [piece for each in hidden for piece in (each, each.rpartition(":")[2], *re.split(r"[/:?#@&=]", each))]
    starts = [i + 1 for i, letter in enumerate(rest) if letter in ":="]
    ends = [i for i, letter in enumerate(rest) if letter in "/?#@&;"] + [len(rest)]
    pieces += [rest[start:end] for start in starts for end in ends if start < end]
    for piece in pieces:
        for form in (piece, unquote(piece), quote(piece), quote(piece, safe="")):
            if len(form) >= SHORTEST and form not in shown(url):
                yield form
