import { describe, expect, it } from "vitest";
import { loadConfig, parseConfig } from "./config";

const full = { apiUrl: "https://api/x/", websocketUrl: "wss://ws/x", userPoolId: "eu-west-1_a", userPoolClientId: "c" };

describe("parseConfig", () => {
  it("fills in what a deployment leaves out", () => {
    expect(parseConfig(full)).toMatchObject({ apiUrl: "https://api/x", cognitoEndpoint: null, selfSignUp: false, notice: null });
  });
  it("names the field that is missing", () => {
    expect(() => parseConfig({ ...full, websocketUrl: "" })).toThrow('config.json has no "websocketUrl"');
    expect(() => parseConfig([])).toThrow("apiUrl");
    expect(() => parseConfig(null)).toThrow("not an object");
  });
});

describe("loadConfig", () => {
  const answers = (status: number, body: object) => {
    const asked: string[] = [];
    const read = async (path: URL | RequestInfo) => { asked.push(String(path)); return new Response(JSON.stringify(body), { status }); };
    return { asked, read };
  };

  it("reads it at the root, whatever page is open", async () => {
    const { asked, read } = answers(200, full);
    expect(await loadConfig(read)).toMatchObject({ userPoolClientId: "c" });
    expect(asked).toEqual(["/config.json"]);
  });
  it("says what the server answered instead", async () => {
    await expect(loadConfig(answers(403, {}).read)).rejects.toThrow("config.json: HTTP 403");
  });
});
