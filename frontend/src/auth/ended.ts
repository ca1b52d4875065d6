const FINAL = new Set([
  "NotAuthorizedException", "TokenRevokedException", "UserNotFoundException", "PasswordResetRequiredException",
  "UserNotConfirmedException", "RefreshTokenReuseException",
]);

/** True for errors after which only signing in again helps; a failing network or service is none. */
export function endsSession(error: unknown): boolean {
  return FINAL.has((error as Error | null)?.name ?? "");
}
