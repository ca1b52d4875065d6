"""Sign-in by the page's own code on our Cognito stand-in and on those of others; their tokens at our verifier.

cognito-local has no SRP, so there the tokens come from a password that is sent.
"""

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError

from tests.support.cognitos import Page, Pool, Refused, somebody, totp
from tests.support.judges import COGNITO_LOCAL, COGNITOS, MOTO, Judges

WITH_SRP = tuple(name for name in COGNITOS if name != COGNITO_LOCAL)
DONE = {"step": "done"}


@pytest.fixture(scope="module", params=COGNITOS)
def pool(request: pytest.FixtureRequest, cloud: str, judges: Judges) -> Pool:
    return Pool(request.param, cloud if request.param == MOTO else judges.url(request.param))


@pytest.fixture(scope="module")
def tab(pool: Pool, judges: Judges) -> Iterator[Page]:
    page = Page(judges.page(pool.config))
    yield page
    page.close()


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """Nobody is signed in at the beginning."""
    yield tab
    tab("endSession")


def refused(page: Page, *call: Any) -> str:
    with pytest.raises(Refused) as info:
        page(*call)
    return str(info.value)


def signed_up(page: Page, pool: Pool) -> tuple[str, str]:
    email, password = somebody()
    assert page("startSignUp", email, password) is True
    page("finishSignUp", email, pool.code(email))
    return email, password


def token(page: Page, pool: Pool, email: str, password: str) -> str:
    """An ID token, the way this Cognito gives one."""
    if pool.server == COGNITO_LOCAL:
        given = {"USERNAME": email, "PASSWORD": password}
        wanted = {"ClientId": pool.client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given}
        return str(pool.admin.initiate_auth(**wanted)["AuthenticationResult"]["IdToken"])
    assert page("startSignIn", email, password) == DONE
    return str(page("idToken"))


needs_srp = pytest.mark.parametrize("pool", WITH_SRP, indirect=True, scope="module")


def test_a_new_account_and_its_token(page: Page, pool: Pool) -> None:
    email, password = signed_up(page, pool)
    found = token(page, pool, email, password)
    claims = jwt.decode(found, options={"verify_signature": False})
    assert pool.identity.user_id(found) == claims["sub"]
    assert (claims["email"], claims["token_use"], claims["aud"]) == (email, "id", pool.client_id)
    assert 0 < claims["exp"] - claims["iat"] <= 3600


def test_a_wrong_code_confirms_nobody(page: Page, pool: Pool) -> None:
    email, password = somebody()
    page("startSignUp", email, password)
    code = f"{(int(pool.code(email)) + 1) % 1_000_000:06d}"
    assert refused(page, "finishSignUp", email, code) == "CodeMismatchException"


def test_a_forgotten_password_is_replaced(page: Page, pool: Pool) -> None:
    email, old = signed_up(page, pool)
    _, new = somebody()
    page("startReset", email)
    page("finishReset", email, pool.code(email, 2), new)
    assert pool.identity.user_id(token(page, pool, email, new))
    page("endSession")
    # Cognito says NotAuthorizedException; cognito-local tells that the account exists.
    said = "InvalidPasswordException" if pool.server == COGNITO_LOCAL else "NotAuthorizedException"
    with pytest.raises((Refused, ClientError), match=said):
        token(page, pool, email, old)


@needs_srp
def test_a_wrong_password_and_an_unknown_person_are_one(page: Page, pool: Pool) -> None:
    email, _ = signed_up(page, pool)
    assert refused(page, "startSignIn", email, "Wrong-password-1") == "NotAuthorizedException"
    assert refused(page, "startSignIn", *somebody()) == "NotAuthorizedException"


@needs_srp
def test_who_is_not_confirmed_is_sent_a_code_again(page: Page, pool: Pool) -> None:
    email, password = somebody()
    page("startSignUp", email, password)
    assert page("startSignIn", email, password) == {"step": "confirm"}
    page("resendCode", email)
    page("finishSignUp", email, pool.code(email, 2))
    assert page("startSignIn", email, password) == DONE


@needs_srp
def test_an_invited_person_chooses_a_password(page: Page, pool: Pool) -> None:
    email, password = somebody()
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    invitation = {"TemporaryPassword": "Given-by-hand-1", "MessageAction": "SUPPRESS", "UserAttributes": attributes}
    pool.admin.admin_create_user(UserPoolId=pool.id, Username=email, **invitation)
    assert page("startSignIn", email, "Given-by-hand-1") == {"step": "newPassword"}
    assert page("answer", password, email) == DONE
    assert page("currentUser")["email"] == email


@needs_srp
def test_a_second_step_is_asked_for(page: Page, pool: Pool) -> None:
    email, password = signed_up(page, pool)
    page("startSignIn", email, password)
    secret = page("startTotp", email)["secret"]
    page("finishTotp", totp(secret))
    assert page("totpEnabled") is True
    page("endSession")
    assert page("startSignIn", email, password) == {"step": "totp"}
    assert page("answer", totp(secret), email) == DONE
    assert pool.identity.user_id(page("idToken"))


@needs_srp
def test_a_session_is_renewed_and_ends(page: Page, pool: Pool) -> None:
    email, password = signed_up(page, pool)
    page("startSignIn", email, password)
    first, fresh = page("idToken"), page("idToken", True)
    assert pool.identity.user_id(fresh) == pool.identity.user_id(first)
    [refresh] = [value for key, value in page("kept").items() if key.endswith("refreshToken")]
    page("endSession")
    assert page("idToken") is None
    assert page("currentUser") is None
    with pytest.raises(ClientError, match="NotAuthorizedException"):
        pool.admin.get_tokens_from_refresh_token(ClientId=pool.client_id, RefreshToken=refresh)


def test_what_is_no_id_token_lets_nobody_in(page: Page, pool: Pool) -> None:
    email, password = signed_up(page, pool)
    header, claims, signature = token(page, pool, email, password).split(".")
    from chalicelib.people.identity import Unauthorized

    for broken in (f"{header}.{claims}.{signature[:-8]}AAAAAAAA", f"{header}.{claims}."):
        with pytest.raises(Unauthorized):
            pool.identity.user_id(broken)


@pytest.mark.skipif(COGNITO_LOCAL not in COGNITOS, reason="only in `make judges`")
@pytest.mark.parametrize("pool", [COGNITO_LOCAL], indirect=True, scope="module")
def test_what_cognito_local_does_not_hold(page: Page, pool: Pool) -> None:
    """The list in docs/local.md: it fails when cognito-local learns one of these."""
    email, password = signed_up(page, pool)
    srp = {"USERNAME": email, "SRP_A": "2"}
    with pytest.raises(ClientError, match="USER_SRP_AUTH"):
        pool.admin.initiate_auth(ClientId=pool.client_id, AuthFlow="USER_SRP_AUTH", AuthParameters=srp)
    for call in ("startSignIn", "resendCode"):
        assert refused(page, call, *([email, password] if call == "startSignIn" else [email]))
