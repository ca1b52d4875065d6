import { expect, it } from "vitest";
import { endsSession } from "./ended";

const named = (name: string) => Object.assign(new Error("x"), { name });

it.each(["NotAuthorizedException", "RefreshTokenReuseException", "UserNotFoundException"])("%s ends the session", (name) =>
  expect(endsSession(named(name))).toBe(true));

it.each(["NetworkError", "InternalErrorException", "TooManyRequestsException", "Unknown"])("%s signs nobody out", (name) =>
  expect(endsSession(named(name))).toBe(false));
