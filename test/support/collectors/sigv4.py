"""Says of each request on standard input, a JSON object per line, whether its signature is right: "" or why not."""
import base64
import calendar
import hashlib
import json
import re
import sys
import time

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

MAX_SKEW = 300


# What S3 takes by TLS in the place of a hash of the whole body.
S3_PAYLOADS = {"UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


class Verification(SigV4Auth):
    """Signs the headers that the collector has signed; botocore leaves some out of its own requests."""

    def payload(self, request):
        told = request.headers.get("X-Amz-Content-SHA256")
        return told if told in S3_PAYLOADS else super().payload(request)

    def headers_to_sign(self, request):
        signed = HTTPHeaders()
        for name, value in request.headers.items():
            signed[name.lower()] = value
        return signed


class S3Verification(Verification):
    """S3 encodes a path once, and changes nothing else of it."""

    _normalize_url_path = S3SigV4Auth._normalize_url_path


def refusal(request, keys, offset):
    headers = request["headers"]
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?"
        r"SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
        headers.get("authorization", ""),
    )
    if not found:
        return "no signature"
    key, date, region, service, names, signature = found.groups()
    at = headers.get("x-amz-date", "")
    signed = names.split(";")
    if [region, service] != [request["region"], request["service"]]:
        return f"signed for {region} and {service}"
    if not {"host", "x-amz-date"} <= set(signed) or not at.startswith(date):
        return "host or date is not signed"
    if abs(calendar.timegm(time.strptime(at, "%Y%m%dT%H%M%SZ")) - time.time() - offset) > MAX_SKEW:
        return "Signature expired"
    token = headers.get("x-amz-security-token")
    if keys.get("token") != token or (token is not None and "x-amz-security-token" not in signed):
        return "another session token"
    body = base64.b64decode(request["body"])
    told = headers.get("x-amz-content-sha256")
    unsigned = service == "s3" and told in S3_PAYLOADS
    if told is not None and not unsigned and told != hashlib.sha256(body).hexdigest():
        return "another body"
    auth = (S3Verification if service == "s3" else Verification)(Credentials(keys["id"], keys["secret"]), service, region)
    again = AWSRequest(request["method"], request["url"], {name: headers.get(name, "") for name in signed}, body)
    again.context["timestamp"] = at
    canonical = auth.canonical_request(again)
    if key != keys["id"] or auth.signature(auth.string_to_sign(again, canonical), again) != signature:
        return "signature does not match"
    return ""


keys = json.loads(sys.argv[1])
for line in sys.stdin:
    print(json.dumps(refusal(json.loads(line), keys, float(sys.argv[2]))), flush=True)
