import { useState } from "react";
import * as cognito from "../../auth/cognito";
import { useText } from "../../i18n";

export type Step =
  | Exclude<cognito.Challenge, { step: "done" | "unsupported" | "reset" }>
  | { step: "signIn"; note?: string }
  | { step: "signUp" }
  | { step: "resetStart" }
  | { step: "resetFinish" };

/** Where somebody is on the way in, and what they said so far. */
export interface Flow {
  step: Step;
  email: string;
  selfSignUp: boolean;
  go(step: Step): void;
  signIn(email: string, password: string): Promise<void>;
  signUp(email: string, password: string): Promise<void>;
  confirm(code: string): Promise<void>;
  answer(response: string): Promise<void>;
  startReset(email: string): Promise<void>;
  finishReset(code: string, password: string): Promise<void>;
}

export function useFlow(selfSignUp: boolean, expired: boolean, onSignedIn: () => Promise<void>): Flow {
  const text = useText();
  const [step, go] = useState<Step>(expired ? { step: "signIn", note: text("signedOut") } : { step: "signIn" });
  const [email, setEmail] = useState("");
  /** Kept in memory between sign-up and its confirmation, so that nobody types it twice. */
  const [password, setPassword] = useState("");

  const follow = async (challenge: cognito.Challenge, address: string) => {
    if (challenge.step === "done") return onSignedIn();
    if (challenge.step === "unsupported") throw new Error(text("errUnsupported", { name: challenge.name }));
    if (challenge.step === "reset") {
      await cognito.startReset(address);
      return go({ step: "resetFinish" });
    }
    go(challenge);
  };
  const signIn = async (address: string, secret: string) => {
    setEmail(address);
    setPassword(secret);
    await follow(await cognito.startSignIn(address, secret), address);
  };

  return {
    step, email, selfSignUp, go, signIn,
    signUp: async (address, secret) => {
      setEmail(address);
      setPassword(secret);
      if (await cognito.startSignUp(address, secret)) go({ step: "confirm" });
      else await signIn(address, secret);
    },
    confirm: async (code) => {
      await cognito.finishSignUp(email, code);
      await signIn(email, password);
    },
    answer: async (response) => follow(await cognito.answer(response, email), email),
    startReset: async (address) => {
      setEmail(address);
      await cognito.startReset(address);
      go({ step: "resetFinish" });
    },
    finishReset: async (code, secret) => {
      await cognito.finishReset(email, code, secret);
      go({ step: "signIn", note: text("resetDone") });
    },
  };
}
