// Answers like Cognito, checks no password. The e-mail chooses the story:
// wrong@… is refused, totp@… is asked for a code, setup@… sets one up, new@… chooses a password,
// unconfirmed@… must confirm. The code is always 123456.
import { randomBytes, randomUUID } from "node:crypto";

const CODE = "123456";
const LIFETIME = Number(process.env.TOKEN_SECONDS ?? 3600);
const sessions = new Map();
const totp = new Set();

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function tokens(email) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { sub: `sub-${email}`, email, "cognito:username": email, username: email, iat: now, exp: now + LIFETIME };
  const jwt = (use) => `${part({ alg: "none" })}.${part({ ...claims, token_use: use })}.x`;
  return { IdToken: jwt("id"), AccessToken: jwt("access"), RefreshToken: `refresh-${email}`, ExpiresIn: 3600, TokenType: "Bearer" };
}

class Refusal extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
  }
}
const checkCode = (code) => {
  if (code !== CODE) throw new Refusal("CodeMismatchException", "Invalid verification code provided, please try again.");
};
function challenge(name, email, parameters = {}) {
  const session = randomUUID();
  sessions.set(session, email);
  return { ChallengeName: name, Session: session, ChallengeParameters: { USERNAME: email, ...parameters } };
}
const signedIn = (email) => ({ AuthenticationResult: tokens(email), ChallengeParameters: {} });
const emailOf = (accessToken) => JSON.parse(Buffer.from(accessToken.split(".")[1], "base64url")).email;

const actions = {
  InitiateAuth: ({ AuthParameters }) => {
    const email = AuthParameters.USERNAME;
    const hex = (bytes) => randomBytes(bytes).toString("hex");
    return challenge("PASSWORD_VERIFIER", email, { SALT: hex(16), SRP_B: hex(128), SECRET_BLOCK: randomBytes(64).toString("base64"), USER_ID_FOR_SRP: email });
  },
  RespondToAuthChallenge: ({ ChallengeName, ChallengeResponses, Session }) => {
    const email = ChallengeResponses.USERNAME ?? sessions.get(Session);
    if (ChallengeName === "PASSWORD_VERIFIER") {
      if (email.startsWith("wrong")) throw new Refusal("NotAuthorizedException", "Incorrect username or password.");
      if (email.startsWith("unconfirmed")) throw new Refusal("UserNotConfirmedException", "User is not confirmed.");
      if (email.startsWith("totp") || totp.has(email)) return challenge("SOFTWARE_TOKEN_MFA", email);
      if (email.startsWith("setup")) return challenge("MFA_SETUP", email, { MFAS_CAN_SETUP: '["SOFTWARE_TOKEN_MFA"]' });
      if (email.startsWith("new")) return challenge("NEW_PASSWORD_REQUIRED", email, { userAttributes: "{}", requiredAttributes: "[]" });
    } else if (ChallengeName === "SOFTWARE_TOKEN_MFA") checkCode(ChallengeResponses.SOFTWARE_TOKEN_MFA_CODE);
    return signedIn(email);
  },
  GetTokensFromRefreshToken: ({ RefreshToken }) => ({ AuthenticationResult: tokens(RefreshToken.slice(8)) }),
  SignUp: ({ Username }) => ({ UserConfirmed: false, UserSub: Username, CodeDeliveryDetails: { DeliveryMedium: "EMAIL", Destination: Username, AttributeName: "email" } }),
  ConfirmSignUp: ({ ConfirmationCode }) => (checkCode(ConfirmationCode), {}),
  ResendConfirmationCode: () => ({ CodeDeliveryDetails: { DeliveryMedium: "EMAIL" } }),
  ForgotPassword: () => ({ CodeDeliveryDetails: { DeliveryMedium: "EMAIL", AttributeName: "email" } }),
  ConfirmForgotPassword: ({ ConfirmationCode }) => (checkCode(ConfirmationCode), {}),
  AssociateSoftwareToken: ({ Session }) => ({ SecretCode: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", Session }),
  VerifySoftwareToken: ({ UserCode, Session }) => (checkCode(UserCode), { Status: "SUCCESS", Session }),
  SetUserMFAPreference: ({ AccessToken, SoftwareTokenMfaSettings: settings }) => {
    if (settings?.Enabled) totp.add(emailOf(AccessToken));
    else totp.delete(emailOf(AccessToken));
    return {};
  },
  GetUser: ({ AccessToken }) => ({
    Username: emailOf(AccessToken), UserAttributes: [],
    UserMFASettingList: totp.has(emailOf(AccessToken)) ? ["SOFTWARE_TOKEN_MFA"] : [],
  }),
  RevokeToken: () => ({}),
};

/** `target` is the x-amz-target header. */
export function cognito(target, body) {
  const action = actions[target.split(".").at(-1)];
  try {
    if (!action) throw new Refusal("InvalidParameterException", `Unknown ${target}`);
    return { status: 200, body: action(body) };
  } catch (error) {
    return { status: 400, body: { __type: error.name, message: error.message } };
  }
}
