"""The web page: a private bucket behind CloudFront."""

from aws_cdk import Duration, Fn, RemovalPolicy, aws_cloudfront, aws_cloudfront_origins, aws_s3
from constructs import Construct

from cdk.base import StageStack

# A path without a file name is a page of the app: all of them are index.html.
ROUTING = """function handler(event) {
  var request = event.request;
  var last = request.uri.substring(request.uri.lastIndexOf('/') + 1);
  if (last.indexOf('.') === -1) request.uri = '/index.html';
  return request;
}
"""


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
        routing = aws_cloudfront.Function(
            self,
            "Routing",
            function_name=self.named("-routing"),
            code=aws_cloudfront.FunctionCode.from_inline(ROUTING),
            runtime=aws_cloudfront.FunctionRuntime.JS_2_0,
        )
        return aws_cloudfront.Distribution(
            self,
            "Distribution",
            comment=self.named(),
            default_root_object="index.html",
            price_class=aws_cloudfront.PriceClass.PRICE_CLASS_100,
            http_version=aws_cloudfront.HttpVersion.HTTP2_AND_3,
            default_behavior=aws_cloudfront.BehaviorOptions(
                origin=aws_cloudfront_origins.S3BucketOrigin.with_origin_access_control(bucket),
                viewer_protocol_policy=aws_cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                cache_policy=aws_cloudfront.CachePolicy.CACHING_OPTIMIZED,
                response_headers_policy=self._headers(),
                compress=True,
                function_associations=[
                    aws_cloudfront.FunctionAssociation(
                        function=routing, event_type=aws_cloudfront.FunctionEventType.VIEWER_REQUEST
                    )
                ],
            ),
        )

    def _headers(self) -> aws_cloudfront.ResponseHeadersPolicy:
        host = aws_cloudfront.HeadersFrameOption
        return aws_cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=self.named("-headers"),
            security_headers_behavior=aws_cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=aws_cloudfront.ResponseHeadersContentSecurityPolicy(
                    content_security_policy=self.sub(_csp()), override=True
                ),
                content_type_options=aws_cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=aws_cloudfront.ResponseHeadersFrameOptions(frame_option=host.DENY, override=True),
                referrer_policy=aws_cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=aws_cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=aws_cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.days(365), include_subdomains=True, override=True
                ),
            ),
            custom_headers_behavior=aws_cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    aws_cloudfront.ResponseCustomHeader(
                        header="Permissions-Policy", value="camera=(), geolocation=(), payment=()", override=True
                    )
                ]
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
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())
