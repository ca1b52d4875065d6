"""Who people are: a user pool and the web page's client."""

from aws_cdk import CfnCondition, CfnParameter, Duration, Fn, aws_cognito
from constructs import Construct

from cdk.base import StageStack
from cdk.stacks.storage import KEEP
from chalicelib.people.identity import OWNER


class Auth(StageStack):
    """Only those an administrator invites get in, unless self sign-up is asked for."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "auth", "user pool and web client")
        self_sign_up = CfnParameter(
            self,
            "SelfSignUp",
            default="false",
            allowed_values=["true", "false"],
            description="Whether strangers may register. Every account can start containers that you pay for.",
        )
        pool = self._pool(self_sign_up)
        client = self._client(pool)
        aws_cognito.CfnUserPoolGroup(
            self,
            "Owners",
            user_pool_id=pool.user_pool_id,
            group_name=OWNER,
            description="They invite and remove people, and set limits.",
        )
        issuer = Fn.join("", [self.sub("https://cognito-idp.${AWS::Region}.amazonaws.com/"), pool.user_pool_id])
        self.export("auth/user-pool-id", pool.user_pool_id)
        self.export("auth/client-id", client.user_pool_client_id)
        self.export("auth/issuer", issuer)
        self.export("auth/jwks-url", Fn.join("", [issuer, "/.well-known/jwks.json"]))
        self.export("auth/self-sign-up", self_sign_up.value_as_string)

    def _pool(self, self_sign_up: CfnParameter) -> aws_cognito.UserPool:
        pool = aws_cognito.UserPool(
            self,
            "Users",
            user_pool_name=self.named(),
            feature_plan=aws_cognito.FeaturePlan.LITE,
            sign_in_aliases=aws_cognito.SignInAliases(email=True),
            auto_verify=aws_cognito.AutoVerifiedAttrs(email=True),
            sign_in_case_sensitive=False,
            account_recovery=aws_cognito.AccountRecovery.EMAIL_ONLY,
            mfa=aws_cognito.Mfa.OPTIONAL,
            mfa_second_factor=aws_cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=aws_cognito.PasswordPolicy(
                min_length=12,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
            ),
            removal_policy=KEEP,
        )
        resource = pool.node.default_child
        assert isinstance(resource, aws_cognito.CfnUserPool)
        closed = CfnCondition(self, "Closed", expression=Fn.condition_equals(self_sign_up.value_as_string, "false"))
        invited_only = Fn.condition_if(closed.logical_id, True, False)
        resource.add_property_override("AdminCreateUserConfig.AllowAdminCreateUserOnly", invited_only)
        return pool

    @staticmethod
    def _client(pool: aws_cognito.UserPool) -> aws_cognito.UserPoolClient:
        """The web page's client: it has no secret, because a browser cannot keep one."""
        return pool.add_client(
            "Web",
            user_pool_client_name="web",
            generate_secret=False,
            auth_flows=aws_cognito.AuthFlow(user_srp=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            id_token_validity=Duration.hours(1),
            access_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(30),
            # Cognito's three minutes are short for somebody who sets up an authenticator at first sign-in.
            auth_session_validity=Duration.minutes(15),
        )
