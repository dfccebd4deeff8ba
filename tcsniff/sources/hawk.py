"""Hawk signatures of requests, with which Taskcluster's services identify a client.

Source: ``clients/client-py/taskcluster/client.py`` of the taskcluster repository, and
https://github.com/mozilla/hawk. Imported with the first signed request: it takes 25 ms, and
few people need it.
"""

from __future__ import annotations

import base64
import json

import mohawk

from tcsniff.settings.credentials import Credentials


def sign_request(url: str, credentials: Credentials) -> str:
    """Return the header ``Authorization`` of a GET request.

    Args:
        url: The whole URL of the request.
        credentials: The client's.

    Raises:
        ValueError: If the credentials are not valid: not ASCII, or the certificate is
            not a JSON object.
    """
    if not credentials.access_token.isascii():
        raise ValueError("the access token is not ASCII")
    try:
        sender = mohawk.Sender(
            {
                "id": credentials.client_id,
                "key": credentials.access_token,
                "algorithm": "sha256",
            },
            url,
            "GET",
            ext=_encode_certificate(credentials.certificate),
            always_hash_content=False,
        )
    except mohawk.exc.HawkFail as error:
        raise ValueError(str(error)) from error
    header: str = sender.request_header
    if not header.isascii():
        raise ValueError("the client ID is not ASCII")
    return header


def _encode_certificate(certificate: str) -> str | None:
    if not certificate:
        return None
    try:
        decoded = json.loads(certificate)
    except RecursionError:
        decoded = None
    if not isinstance(decoded, dict):
        raise ValueError("the certificate is not a JSON object")  # noqa: TRY004 - bad text, no bug
    text = json.dumps({"certificate": decoded}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()
