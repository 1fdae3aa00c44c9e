"""Possible passwords are never shown, however a URL is written or quoted."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cytocurve.redaction import shown, without_secrets

SECRETS = st.text(
    st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") | st.sampled_from("/?#@:&=%+ ;,'\"\\[]!"),
    min_size=4,
    max_size=20,
).filter(
    lambda secret: (
        secret.strip("/?#@:&=%+ ;,'\"\\[]!") and secret == secret.strip() and sum(map(str.isalnum, secret)) > 3
    )
)
"""Letters and digits that occur nowhere in the URLs below, mixed with what URLs reserve."""

USERS = (
    "http://user:{}@host:5000/mlflow",
    "https://user:{}@host",
    "http://{}@host/",
    "http://host/path/user:{}@x",
    "http:/user:{}@host",
    "user:{}@host:5000",
    "postgresql://user:{}@host/db",
    "s3://user:{}@bucket/prefix",
    "sqlite:///user:{}@host/mlflow.db",
    " http://user:{}@host ",
    "http://[user:{}@host",
)
PARAMETERS = (
    "http://host:5000/?password={}",
    "http://host:5000/a?user=me&token={}",
    "http://host#access_token={}",
    "http://host/a;password={}",
    "http://host/password={}/b",
    "sqlite:///mlruns/mlflow.db?password={}",
    "sqlite:////home/me/mlflow.db?cipher=x&key={}",
    "sqlite:////home/me/mlflow.db#password={}",
    "mlruns?password={}",
    "s3://bucket/prefix?secret={}",
)


@given(st.sampled_from([*USERS, *PARAMETERS]), SECRETS)
def test_displayed_url_contains_no_secret(template: str, secret: str) -> None:
    assert secret not in shown(template.format(secret))


@given(st.sampled_from([*USERS, *PARAMETERS]), SECRETS)
def test_message_about_a_url_never_contains_its_secret(template: str, secret: str) -> None:
    url = template.format(secret)
    quoted = (
        f"API request to {url}/health failed: {url!r} and {quote(url)}; Invalid password {secret!r}, or {quote(secret)}"
    )
    assert secret not in without_secrets(quoted, url)


@given(SECRETS.filter(lambda secret: not set(secret) & set(" '\"<>()")))
def test_message_from_another_program_contains_no_url_password(secret: str) -> None:
    message = f"ERROR: failed to push to https://user:{secret}@host/x - connection refused"
    assert without_secrets(message) == "ERROR: failed to push to https://…@host/x - connection refused"


def test_known_secret_is_hidden_wherever_it_occurs() -> None:
    assert without_secrets("401: bad token tok3n", secrets=["tok3n"]) == "401: bad token …"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:5000",
        "https://mlflow.example.org/team/mlflow",
        "http://[::1]:5000/a",
        "sqlite:////home/me@corp.example/study #1/mlruns/mlflow.db",
        "sqlite:///mlruns/mlflow.db",
        "mlflow.example.org:5000",
        "s3://bucket/prefix",
        "/data/year=2026/ledger",
        "file:///data/ledger",
        "ledger",
    ],
)
def test_url_without_a_secret_is_shown_unchanged(url: str) -> None:
    assert shown(url) == url
    assert without_secrets(f"{url} is closed", url) == f"{url} is closed"


def test_server_is_shown_with_its_host_and_path() -> None:
    assert shown("https://user:secret@mlflow.example.org:8443/team") == "https://…@mlflow.example.org:8443/team"
