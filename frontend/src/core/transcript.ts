import type { Api } from "../api";
import type { MessageRow } from "../protocol/frames";

const PAGE = 50; // the most that the server gives

/** All saved messages of a conversation, the oldest first. */
export async function wholeConversation(api: Pick<Api, "page">, id: string): Promise<MessageRow[]> {
  const pages: MessageRow[][] = [];
  let before: string | null = null;
  do {
    const page = await api.page(id, before, PAGE);
    pages.unshift(page.messages);
    before = page.before;
  } while (before);
  return pages.flat();
}

/** For people and editors. `you` and `agent` name the writers; steered answers are in another one. */
export function asMarkdown(title: string, rows: readonly MessageRow[], you: string, agent: string): string {
  const parts = rows.filter((row) => row.reason !== "steered").map((row) => {
    const who = row.cause ?? (row.role === "user" ? you : agent);
    const files = (row.attachments ?? []).map((file) => `- ${file.fileName}\n`).join("");
    const error = row.error ? `> ${row.error.message}\n` : "";
    return `## ${who}, ${new Date(row.createdAt).toISOString().replace("T", " ").slice(0, 16)} UTC\n\n${files}${error}${row.content.trim()}\n`;
  });
  return `# ${title}\n\n${parts.join("\n")}`;
}

/** For programs: the rows as the server has them. */
export function asJson(title: string, id: string, rows: readonly MessageRow[]): string {
  return `${JSON.stringify({ conversationId: id, title, messages: rows }, null, 1)}\n`;
}

/** A file name of any title, on any system. */
export function fileNameOf(title: string, ending: string): string {
  const name = title.normalize("NFC").replace(/[\p{Cc}\p{Cf}\\/:*?"<>|]+/gu, " ").replace(/(^|\s)\.+(?=\s|$)/g, " ").replace(/\s+/g, " ").trim().replace(/^\.+/, "");
  return `${[...name].slice(0, 80).join("") || "conversation"}.${ending}`;
}
