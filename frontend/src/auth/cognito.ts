/** Everything that is said to Cognito, in the words of this app. */
import {
  confirmResetPassword, confirmSignIn, confirmSignUp, decodeJWT, fetchAuthSession, fetchMFAPreference, resendSignUpCode,
  resetPassword, setUpTOTP, signIn, signOut, signUp, updateMFAPreference, verifyTOTPSetup,
  type ConfirmSignInOutput, type SignInOutput,
} from "@aws-amplify/auth";
import { cognitoUserPoolsTokenProvider } from "@aws-amplify/auth/cognito";
import { Amplify } from "@aws-amplify/core";
import type { Config } from "../config";
import { endsSession } from "./ended";
import type { TabStorage } from "./storage";

/** What Cognito wants next. */
export type Challenge =
  | { step: "done" }
  | { step: "totp" }
  | { step: "totpSetup"; secret: string; uri: string }
  | { step: "newPassword" }
  | { step: "confirm" }
  | { step: "reset" }
  | { step: "unsupported"; name: string };

export interface User {
  /** Cognito's id of the user. */
  sub: string;
  email: string;
  /** Whether the page offers the owner's room; the server decides by itself. */
  owner: boolean;
}

const ISSUER = "OpenClaw";
/** The group in the user pool. */
const OWNER = "owner";

export function configureAuth(config: Config, storage: TabStorage): void {
  const Cognito = {
    userPoolId: config.userPoolId,
    userPoolClientId: config.userPoolClientId,
    ...(config.cognitoEndpoint ? { userPoolEndpoint: config.cognitoEndpoint } : {}),
  };
  cognitoUserPoolsTokenProvider.setAuthConfig({ Cognito });
  cognitoUserPoolsTokenProvider.setKeyValueStorage(storage);
  Amplify.configure({ Auth: { Cognito } }, { Auth: { tokenProvider: cognitoUserPoolsTokenProvider } });
}

/**
 * A valid ID token, refreshed when it has run out or when `fresh` is asked for; null when the
 * session has ended. Rejects when Cognito cannot be asked, which ends nobody's session.
 */
export async function idToken(fresh = false): Promise<string | null> {
  try {
    const session = await fetchAuthSession({ forceRefresh: fresh });
    return session.tokens?.idToken?.toString() ?? null;
  } catch (error) {
    if (endsSession(error)) return null;
    throw error;
  }
}

/** Who is signed in; while Cognito cannot be asked, who the last token says it is. */
export async function currentUser(storage: TabStorage): Promise<User | null> {
  const token = await idToken().catch(() => {
    const kept = Object.entries(storage.entries()).find(([key]) => key.endsWith(".idToken"));
    return kept?.[1] ?? null;
  });
  const claims = token ? decodeJWT(token).payload : null;
  if (!claims?.sub) return null;
  const groups = claims["cognito:groups"];
  return {
    sub: claims.sub, email: String(claims["email"] ?? claims["cognito:username"] ?? ""),
    owner: Array.isArray(groups) && groups.includes(OWNER),
  };
}

export async function startSignIn(email: string, password: string): Promise<Challenge> {
  const input = { username: email, password, options: { authFlowType: "USER_SRP_AUTH" as const } };
  try {
    return challenge(await signIn(input), email);
  } catch (error) {
    if ((error as Error).name !== "UserAlreadyAuthenticatedException") throw error;
    await signOut();
    return challenge(await signIn(input), email);
  }
}

/** Answers a challenge: a TOTP code, the first code of a new device, or a new password. */
export async function answer(response: string, email: string): Promise<Challenge> {
  return challenge(await confirmSignIn({ challengeResponse: response }), email);
}

async function challenge(output: SignInOutput | ConfirmSignInOutput, email: string): Promise<Challenge> {
  const next = output.nextStep;
  switch (next.signInStep) {
    case "DONE": return { step: "done" };
    case "CONFIRM_SIGN_IN_WITH_TOTP_CODE": return { step: "totp" };
    case "CONTINUE_SIGN_IN_WITH_TOTP_SETUP": {
      const { totpSetupDetails } = next;
      return {
        step: "totpSetup", secret: totpSetupDetails.sharedSecret,
        uri: totpSetupDetails.getSetupUri(ISSUER, email).toString(),
      };
    }
    case "CONTINUE_SIGN_IN_WITH_MFA_SELECTION":
    case "CONTINUE_SIGN_IN_WITH_MFA_SETUP_SELECTION":
      return challenge(await confirmSignIn({ challengeResponse: "TOTP" }), email);
    case "CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED": return { step: "newPassword" };
    case "CONFIRM_SIGN_UP": return { step: "confirm" };
    case "RESET_PASSWORD": return { step: "reset" };
    default: return { step: "unsupported", name: next.signInStep };
  }
}

/** True when the account must be confirmed with the e-mailed code first. */
export async function startSignUp(email: string, password: string): Promise<boolean> {
  const output = await signUp({ username: email, password, options: { userAttributes: { email } } });
  return output.nextStep.signUpStep === "CONFIRM_SIGN_UP";
}

export const finishSignUp = (email: string, code: string) => confirmSignUp({ username: email, confirmationCode: code });
export const resendCode = (email: string) => resendSignUpCode({ username: email });
export const startReset = (email: string) => resetPassword({ username: email });
export const finishReset = (email: string, code: string, newPassword: string) =>
  confirmResetPassword({ username: email, confirmationCode: code, newPassword });

/** Revokes the refresh token too; with no network the tokens of this browser are forgotten all the same. */
export const endSession = () => signOut();

export async function totpEnabled(): Promise<boolean> {
  return (await fetchMFAPreference()).enabled?.includes("TOTP") ?? false;
}

export async function startTotp(email: string): Promise<{ secret: string; uri: string }> {
  const details = await setUpTOTP();
  return { secret: details.sharedSecret, uri: details.getSetupUri(ISSUER, email).toString() };
}

export async function finishTotp(code: string): Promise<void> {
  await verifyTOTPSetup({ code });
  await updateMFAPreference({ totp: "PREFERRED" });
}

export const disableTotp = () => updateMFAPreference({ totp: "DISABLED" });
