import { expect, it } from "vitest";
import { carry, gatewayPath, isCarried, lost, takes } from "./fetched";

const at = (path: string) => gatewayPath(new URL(path, "https://page.example/console/chat"));
const part = (id: string, more: boolean, data: string, status = 200) =>
  JSON.stringify({ type: "fetch", id, status, mime: "image/png", data: btoa(data), more }).replaceAll('":', '": ');

function asked(path = "/avatar/main", init: RequestInit = {}) {
  const sent: Record<string, string>[] = [], tunnel = {};
  const answer = carry(path, new Request("https://page.example" + path, init), tunnel, (data) => sent.push(JSON.parse(data)));
  return { answer, tunnel, id: sent[0]?.["id"] ?? "", sent };
}

it("knows the gateway's addresses, and which of them are carried", () => {
  expect(at("/console/avatar/main?v=1")).toBe("/avatar/main?v=1");
  expect(at("/api/chat/media/outgoing/a/b")).toBe("/api/chat/media/outgoing/a/b");
  expect(at("/console/control-ui-config.json")).toBe("/control-ui-config.json");
  expect(at("/console/assets/app.js")).toBeNull();
  expect(at("data:image/png;base64,AA==")).toBeNull();
  expect(["/avatar/main?v=1", "/__openclaw__/assistant-media?meta=1&source=a", "/__openclaw__/plugin-icon/a"].every(isCarried)).toBe(true);
  expect(["/plugins/a/b", "/__openclaw__/catalog-icon/https%3A%2F%2Fa.example", "/control-ui-config.json", "/__openclaw__/link-favicon/a", "/api/channels/x"].some(isCarried)).toBe(false);
});

it("puts the parts of an answer together", async () => {
  const { answer, id, sent } = asked("/avatar/main", { headers: { "x-openclaw-requester-session-key": "agent:main:main" } });
  expect(sent).toEqual([{ type: "fetch", id, method: "GET", path: "/avatar/main", session: "agent:main:main" }]);
  expect(takes(part(id, true, "pic"))).toBe(true);
  expect(takes(part(id, false, "ture"))).toBe(true);
  const response = await answer;
  expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([200, "image/png", "picture"]);
});

it("passes a refusal on, and fails with the tunnel and when it is told to stop", async () => {
  const refused = asked(), cut = asked(), stop = new AbortController(), stopped = asked("/avatar/a", { signal: stop.signal });
  takes(part(refused.id, false, "", 404));
  expect((await refused.answer).status).toBe(404);
  lost(cut.tunnel);
  await expect(cut.answer).rejects.toThrow("the tunnel ended");
  stop.abort(new Error("enough"));
  await expect(stopped.answer).rejects.toThrow("enough");
  expect(takes(part(stopped.id, false, "late"))).toBe(true);
  expect(takes('{"type":"res","id":"1"}')).toBe(false);
});
