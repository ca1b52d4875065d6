"""The web page: a private bucket behind CloudFront."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import Duration, Fn, RemovalPolicy, aws_cloudfront, aws_cloudfront_origins, aws_s3
from constructs import Construct

from cdk.base import StageStack

# A path without a file name is a page of the app, or of OpenClaw's console: all of one are its index.html.
ROUTING = """function handler(event) {
  var request = event.request;
  var last = request.uri.substring(request.uri.lastIndexOf('/') + 1);
  var page = request.uri.indexOf('/console/') === 0 ? '/console/index.html' : '/index.html';
  if (last.indexOf('.') === -1) request.uri = page;
  return request;
}
"""

# The pages that draw diagrams and PDFs: own scripts, styles that the libraries make, and nothing of the network or an
# origin.
SANDBOX = {
    "sandbox": "allow-scripts",
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'unsafe-inline'",
    "img-src": "data:",
    "font-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'self'",
}
# OpenClaw's own Control UI: as above, but a whole app, with forms, styles, pictures and files of its own.
CONSOLE = {
    "sandbox": "allow-scripts allow-forms allow-modals allow-downloads",
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data:",
    "media-src": "data: blob:",
    "worker-src": "'self' blob:",
    "base-uri": "'self'",
    "form-action": "'none'",
    "frame-ancestors": "'self'",
}


class Web(StageStack):
    """Static files only; which system they talk to is in config.json, written when deployed."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "web", "bucket and CloudFront distribution of the web page")
        bucket = aws_s3.Bucket(
            self,
            "Site",
            bucket_name=self.named("-web-${AWS::AccountId}-${AWS::Region}"),
            encryption=aws_s3.BucketEncryption.S3_MANAGED,
            block_public_access=aws_s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        distribution = self._distribution(bucket)
        self.export("web/url", Fn.join("", ["https://", distribution.distribution_domain_name]))
        self.export("web/bucket", bucket.bucket_name)
        self.export("web/distribution-id", distribution.distribution_id)

    def _distribution(self, bucket: aws_s3.Bucket) -> aws_cloudfront.Distribution:
        origin = aws_cloudfront_origins.S3BucketOrigin.with_origin_access_control(bucket)
        shared: dict[str, Any] = {
            "origin": origin,
            "viewer_protocol_policy": aws_cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
            "cache_policy": aws_cloudfront.CachePolicy.CACHING_OPTIMIZED,
            "compress": True,
        }
        routed = [self._routing()]
        return aws_cloudfront.Distribution(
            self,
            "Distribution",
            comment=self.named(),
            default_root_object="index.html",
            price_class=aws_cloudfront.PriceClass.PRICE_CLASS_100,
            http_version=aws_cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=aws_cloudfront.BehaviorOptions(
                **shared,
                response_headers_policy=self._headers(),
                function_associations=routed,
            ),
            additional_behaviors={
                "/sandbox/*": aws_cloudfront.BehaviorOptions(
                    **shared, response_headers_policy=self._without_origin("Sandbox", "-sandbox-headers", SANDBOX)
                ),
                "/console/*": aws_cloudfront.BehaviorOptions(
                    **shared,
                    response_headers_policy=self._without_origin("Console", "-console-headers", CONSOLE),
                    function_associations=routed,
                ),
            },
        )

    def _routing(self) -> aws_cloudfront.FunctionAssociation:
        function = aws_cloudfront.Function(
            self,
            "Routing",
            function_name=self.named("-routing"),
            code=aws_cloudfront.FunctionCode.from_inline(ROUTING),
            runtime=aws_cloudfront.FunctionRuntime.JS_2_0,
        )
        return aws_cloudfront.FunctionAssociation(
            function=function, event_type=aws_cloudfront.FunctionEventType.VIEWER_REQUEST
        )

    def _headers(self) -> aws_cloudfront.ResponseHeadersPolicy:
        deny = aws_cloudfront.ResponseHeadersFrameOptions(
            frame_option=aws_cloudfront.HeadersFrameOption.DENY, override=True
        )
        return aws_cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=self.named("-headers"),
            security_headers_behavior=_security(self.sub(_csp()), deny),
            custom_headers_behavior=aws_cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    aws_cloudfront.ResponseCustomHeader(
                        header="Permissions-Policy", value="camera=(), geolocation=(), payment=()", override=True
                    )
                ]
            ),
        )

    def _without_origin(self, name: str, ending: str, rules: Mapping[str, str]) -> aws_cloudfront.ResponseHeadersPolicy:
        """A sandboxed page has no origin, so even its own scripts come from another one: CORS lets it read them."""
        return aws_cloudfront.ResponseHeadersPolicy(
            self,
            f"{name}Headers",
            response_headers_policy_name=self.named(ending),
            security_headers_behavior=_security(_joined(rules), None),
            cors_behavior=aws_cloudfront.ResponseHeadersCorsBehavior(
                access_control_allow_credentials=False,
                access_control_allow_headers=["*"],
                access_control_allow_methods=["GET", "HEAD"],
                access_control_allow_origins=["*"],
                origin_override=True,
            ),
        )


def _security(
    policy: str, frames: aws_cloudfront.ResponseHeadersFrameOptions | None
) -> aws_cloudfront.ResponseSecurityHeadersBehavior:
    return aws_cloudfront.ResponseSecurityHeadersBehavior(
        content_security_policy=aws_cloudfront.ResponseHeadersContentSecurityPolicy(
            content_security_policy=policy, override=True
        ),
        content_type_options=aws_cloudfront.ResponseHeadersContentTypeOptions(override=True),
        frame_options=frames,
        referrer_policy=aws_cloudfront.ResponseHeadersReferrerPolicy(
            referrer_policy=aws_cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
        ),
        strict_transport_security=aws_cloudfront.ResponseHeadersStrictTransportSecurity(
            access_control_max_age=Duration.days(365), include_subdomains=True, override=True
        ),
    )


def _csp() -> str:
    """Scripts only from our own files; connections only to API Gateway, Cognito and the data bucket."""
    api = "execute-api.${AWS::Region}.amazonaws.com"
    data = "https://serverless-openclaw-${Stage}-data-${AWS::AccountId}-${AWS::Region}.s3"
    stored = f"{data}.amazonaws.com {data}.${{AWS::Region}}.amazonaws.com"
    rules = {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data: blob: https:",
        "media-src": f"'self' {stored}",
        "connect-src": f"'self' https://*.{api} wss://*.{api} https://cognito-idp.${{AWS::Region}}.amazonaws.com "
        f"{stored}",
        "frame-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return _joined(rules)


def _joined(rules: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in rules.items())
