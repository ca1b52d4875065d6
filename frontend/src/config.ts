/** What one deployment tells the app at run time (`config.json` beside index.html). */
export interface Config {
  apiUrl: string;
  websocketUrl: string;
  region: string;
  userPoolId: string;
  userPoolClientId: string;
  cognitoEndpoint: string | null;
  selfSignUp: boolean;
  telegramBot: string | null;
  /** The deployment's key for Web Push. */
  pushKey: string | null;
  notice: string | null;
}

const REQUIRED = ["apiUrl", "websocketUrl", "userPoolId", "userPoolClientId"] as const;

/** Checks a parsed config.json; throws an error that names the missing field. */
export function parseConfig(value: unknown): Config {
  if (typeof value !== "object" || value === null) throw new Error("config.json is not an object");
  const raw = value as Record<string, unknown>;
  for (const key of REQUIRED) {
    if (typeof raw[key] !== "string" || raw[key] === "") throw new Error(`config.json has no "${key}"`);
  }
  const text = (key: string) => (typeof raw[key] === "string" && raw[key] !== "" ? raw[key] : null);
  return {
    apiUrl: (raw["apiUrl"] as string).replace(/\/+$/, ""),
    websocketUrl: raw["websocketUrl"] as string,
    region: text("region") ?? "us-east-1",
    userPoolId: raw["userPoolId"] as string,
    userPoolClientId: raw["userPoolClientId"] as string,
    cognitoEndpoint: text("cognitoEndpoint"),
    selfSignUp: raw["selfSignUp"] === true,
    telegramBot: text("telegramBot"),
    pushKey: text("pushKey"),
    notice: text("notice"),
  };
}

/** Fetches config.json, never from a cache: one build serves many deployments. */
export async function loadConfig(read: typeof fetch = fetch): Promise<Config> {
  const response = await read("/config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`config.json: HTTP ${response.status}`);
  return parseConfig(await response.json());
}
