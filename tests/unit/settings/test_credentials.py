"""The Taskcluster credentials of the environment: for one deployment, and never shown."""

from __future__ import annotations

import pytest

from tcsniff.settings.credentials import Credentials, find_credentials

ROOT = "https://tc.example.com"
WHOLE = {
    "TASKCLUSTER_ROOT_URL": ROOT,
    "TASKCLUSTER_CLIENT_ID": "me",
    "TASKCLUSTER_ACCESS_TOKEN": "s3cr3t",
}


@pytest.mark.parametrize("certificate", ["", '{"version":1}'])
@pytest.mark.parametrize("slash", ["", "/"])
def test_credentials_are_for_their_deployment(certificate: str, slash: str) -> None:
    """With or without a slash at the end; only temporary ones have a certificate."""
    environment = {
        **WHOLE,
        "TASKCLUSTER_ROOT_URL": ROOT + slash,
        "TASKCLUSTER_CERTIFICATE": certificate,
    }

    assert find_credentials(ROOT, environment) == Credentials("me", "s3cr3t", certificate)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [None, "", "https://tc.example.com.evil.example"])
def test_credentials_in_part_or_for_others_are_none(name: str, value: str | None) -> None:
    """They must not be sent to another deployment."""
    if value and name != "TASKCLUSTER_ROOT_URL":
        value = ""
    environment = {key: text for key, text in WHOLE.items() if key != name}
    if value is not None:
        environment[name] = value

    assert find_credentials(ROOT, environment) is None


def test_a_token_is_not_in_a_traceback() -> None:
    """Only the client's name is."""
    text = repr(find_credentials(ROOT, {**WHOLE, "TASKCLUSTER_CERTIFICATE": "c3rt"}))

    assert text == "Credentials('me')"
