import { describe, expect, it } from "vitest";
import type { Page } from "../api";
import type { MessageRow } from "../protocol/frames";
import { asJson, asMarkdown, fileNameOf, wholeConversation } from "./transcript";

const row = (id: string, role: "user" | "assistant", content: string, more: Partial<MessageRow> = {}): MessageRow =>
  ({ messageId: id, role, content, conversationId: "main", createdAt: Date.UTC(2026, 10, 29, 8), ...more });

describe("a conversation as a file", () => {
  it("is read to its first page, in order", async () => {
    const pages: Record<string, Page> = {
      "": { conversationId: "main", messages: [row("3", "user", "c")], before: "x" },
      x: { conversationId: "main", messages: [row("1", "user", "a"), row("2", "assistant", "b")], before: null },
    };
    const rows = await wholeConversation({ page: async (_id, before) => pages[before ?? ""]! }, "main");
    expect(rows.map(({ messageId }) => messageId)).toEqual(["1", "2", "3"]);
  });

  it("names who wrote what, and why an answer failed", () => {
    const text = asMarkdown("Tea", [
      row("1", "user", "hi", { attachments: [{ mimeType: "image/png", fileName: "a.png" }] }),
      row("1.answer", "assistant", "", { error: { code: "X", message: "no credit" } }),
      row("2.answer", "assistant", "", { reason: "steered" }),
      row("p", "assistant", "Water them", { reason: "proactive", cause: "Reminder: plants" }),
    ], "You", "Agent");
    expect(text).toBe(
      "# Tea\n\n## You, 2026-11-29 08:00 UTC\n\n- a.png\nhi\n\n## Agent, 2026-11-29 08:00 UTC\n\n> no credit\n\n\n" +
      "## Reminder: plants, 2026-11-29 08:00 UTC\n\nWater them\n");
  });

  it("is JSON for programs", () => {
    expect(JSON.parse(asJson("Tea", "main", [row("1", "user", "hi")])).messages[0].content).toBe("hi");
  });

  it.each([["../../etc/passwd", "etc passwd.md"], ["a:b?c", "a b c.md"], ["\u202Eevil", "evil.md"], ["", "conversation.md"], ["가".repeat(300), `${"가".repeat(80)}.md`]])(
    "of %j is named %j", (title, name) => expect(fileNameOf(title, "md")).toBe(name));
});
