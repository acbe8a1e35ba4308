"""Receive what the ICORN hub sends to a webhook.

    pip install standardwebhooks
    WEBHOOK_SECRET=whsec_... python receiver.py 9100

`createWebhook` told the secret. Put a proxy with TLS before it, or take the ten lines that matter into your own program.
"""

import os
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

WEBHOOK = Webhook(os.environ["WEBHOOK_SECRET"])
SEEN: set[str] = set()


class Receiver(BaseHTTPRequestHandler):
    """Takes messages."""

    def do_POST(self) -> None:
        """Believe what is signed; answer at once, and fetch what happened afterwards."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(min(int(headers.get("content-length", "0")), 65_536))
        try:
            event = WEBHOOK.verify(body, headers)
        except WebhookVerificationError:
            self.send_response(HTTPStatus.BAD_REQUEST)
        else:
            # A message may come twice, under the same id.
            if headers["webhook-id"] not in SEEN:
                SEEN.add(headers["webhook-id"])
                print(event["type"], event["data"]["id"], flush=True)
            self.send_response(HTTPStatus.NO_CONTENT)
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
