import { describe, expect, it } from "vitest";
import { parseConfig } from "./config";

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
