"""Ask the ICORN hub, as a partner's own program would.

    pip install httpx2 joserfc
    python client.py credentials.json '{ viewer { clientId scopes } }' PROTECTION

`credentials.json` is what `hub keygen` made. Take this file as it is, or the parts you need.
"""

import json
import secrets
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, JWKRegistry, Key

ALGORITHM = {"EC": "ES256", "RSA": "PS256", "OKP": "Ed25519"}


class Hub:
    """The hub, as one client sees it. Tokens are bound to a key that never leaves this object (DPoP, RFC 9449)."""

    def __init__(self, entry: Mapping[str, Any], http: httpx2.Client) -> None:
        """Find the token endpoint by discovery (RFC 8414); the issuer that answers must be the one expected."""
        self.entry, self.http = entry, http
        self.key: Key = JWKRegistry.import_key(entry["private_jwk"])
        self.proof_key = ECKey.generate_key("P-256")
        self.token, self.until, self.nonce = "", 0.0, ""
        found = http.get(f"{entry['issuer']}/.well-known/oauth-authorization-server").raise_for_status().json()
        if found["issuer"] != entry["issuer"]:
            raise RuntimeError("Another issuer answers there.")
        self.token_url = found["token_endpoint"]

    def ask(self, query: str, variables: Mapping[str, Any] | None = None, purpose: str | None = None) -> Any:
        """Send an operation, with a token that still lives, and return the answer's JSON."""
        if time.time() > self.until - 10:
            self.sign_in()
        headers = {"Authorization": f"DPoP {self.token}", **({"Hub-Purpose": purpose} if purpose else {})}
        return self.post(self.entry["graphql_url"], headers, json={"query": query, "variables": variables or {}}).json()

    def sign_in(self) -> None:
        """Get a token by a signed assertion (RFC 7523). Its audience is the issuer, and it is used once."""
        client, now = self.entry["client_id"], int(time.time())
        claims = {"iss": client, "sub": client, "aud": self.entry["issuer"], "iat": now, "exp": now + 60}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        # A refusal for want of a nonce uses up no assertion, so that the second try may send the same.
        form["client_assertion"] = self.signed(self.key, {"typ": "JWT", "kid": self.key.kid}, claims)
        answer = self.post(self.token_url, {}, data=form)
        told = answer.json()
        if answer.is_error:
            raise RuntimeError(f"{told['error']}: {told.get('error_description', '')}")
        self.token, self.until = told["access_token"], now + told["expires_in"]

    def post(self, url: str, headers: Mapping[str, str], **body: Any) -> httpx2.Response:
        """Send with a fresh proof; once more if the hub wants its own nonce in it (RFC 9449, sections 8 and 9)."""
        for _ in range(2):
            answer = self.http.post(url, headers={**headers, "DPoP": self.proof(url)}, **body)
            self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
            if answer.is_success or "use_dpop_nonce" not in answer.headers.get("WWW-Authenticate", answer.text):
                break
        return answer

    def proof(self, url: str) -> str:
        """Prove, for one request, that the key which the token is bound to is here."""
        claims: dict[str, Any] = {"htm": "POST", "htu": url, "iat": int(time.time())}
        if url != self.token_url:
            claims["ath"] = urlsafe_b64encode(sha256(self.token.encode()).digest()).rstrip(b"=").decode()
        if self.nonce:
            claims["nonce"] = self.nonce
        public = {name: self.proof_key.as_dict(private=False)[name] for name in ("kty", "crv", "x", "y")}
        return self.signed(self.proof_key, {"typ": "dpop+jwt", "jwk": public}, claims)

    def signed(self, key: Key, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """Sign with the algorithm that goes with the key; no two are alike."""
        algorithm = ALGORITHM[key.key_type]
        unique = {**claims, "jti": secrets.token_urlsafe(16)}
        return jwt.encode({"alg": algorithm, **header}, unique, key, algorithms=[algorithm])


if __name__ == "__main__":
    if len(sys.argv) < 3:  # noqa: PLR2004 file and operation
        sys.exit(__doc__)
    file, query, *purpose = sys.argv[1:]
    entry, *others = json.loads(Path(file).read_text())
    if others:
        sys.exit(f"{file} has several clients: keep one.")
    with httpx2.Client() as http:
        print(json.dumps(Hub(entry, http).ask(query, purpose=purpose[0] if purpose else None), indent=2))
