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
# OpenClaw's own Control UI: as above, but a whole app, with forms, styles, pictures and files of its own.
CONSOLE_CSP = (
    "sandbox allow-scripts allow-forms allow-modals allow-downloads; default-src 'none'; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' data:; "
    "media-src data: blob:; worker-src 'self' blob:; base-uri 'self'; form-action 'none'; frame-ancestors 'self'"
)
CONSOLE = "console/"


def headers_of(name: str) -> dict[str, str]:
    """For a file by its path in the site."""
    shared = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    if not name.startswith((SANDBOX, CONSOLE)):
        return shared | {"Content-Security-Policy": CSP}
    # A sandboxed page has no origin, so even its own scripts come from another one.
    policy = SANDBOX_CSP if name.startswith(SANDBOX) else CONSOLE_CSP
    return shared | {"Content-Security-Policy": policy, "Access-Control-Allow-Origin": "*"}
