import type { Translate } from "../../i18n";

/** What Cognito's error means for the person at the form. */
export function authErrorText(error: unknown, text: Translate): string {
  const { name, message } = error as Error;
  switch (name) {
    case "NotAuthorizedException": case "UserNotFoundException": return text("errCredentials");
    case "CodeMismatchException": case "EnableSoftwareTokenMFAException": return text("errCode");
    case "ExpiredCodeException": return text("errExpired");
    case "LimitExceededException": case "TooManyRequestsException": case "TooManyFailedAttemptsException":
      return text("errLimit");
    case "UsernameExistsException": return text("errExists");
    case "InvalidPasswordException": return text("errPassword", { hint: text("passwordHint") });
    case "NetworkError": return text("errNetwork");
    default: return text("errUnknown", { message: message || name });
  }
}
