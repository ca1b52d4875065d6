"""The headers of the web app's files, as CloudFront sends them (cdk/stacks/web.py)."""

CSP = (
    # http: files of the AWS stand-in, and uploads to it
    "default-src 'self'; img-src 'self' data: blob: http://127.0.0.1:*; media-src 'self' http://127.0.0.1:*; "
    "style-src 'self'; script-src 'self'; connect-src 'self' http://127.0.0.1:* ws://127.0.0.1:* ws://localhost:*; "
    "frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# The pages that draw diagrams and PDFs: own scripts, styles that the libraries make, and nothing of the network or an
# origin.
SANDBOX_CSP = (
    "sandbox allow-scripts; default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
SANDBOX = "sandbox/"


def headers_of(name: str) -> dict[str, str]:
    """For a file by its path in the site."""
    shared = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    if not name.startswith(SANDBOX):
        return shared | {"Content-Security-Policy": CSP}
    # A sandboxed page has no origin, so even its own scripts come from another one.
    return shared | {"Content-Security-Policy": SANDBOX_CSP, "Access-Control-Allow-Origin": "*"}
