import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import type { Note } from "../../api";
import { SessionContext, type Session } from "../context";
import { Reading } from "./NotePage";

const client = { store: { subscribe: () => () => undefined, snapshot: () => ({ agent: { status: "Running" } }) } };
const session = { api: {}, client } as unknown as Session;
const edit = { id: "1", at: 1, status: "pending" as const, text: "my text", version: "v2" };

function shown(note: Partial<Note>): string {
  const whole: Note = { name: "SOUL.md", text: "theirs", version: "v1", savedAt: 1, edit, ...note };
  return renderToStaticMarkup(
    <QueryClientProvider client={new QueryClient()}>
      <SessionContext.Provider value={session}>
        <Reading note={whole} onEdit={() => undefined} onGone={() => undefined} />
      </SessionContext.Provider>
    </QueryClientProvider>,
  );
}

it("shows the person's edit of a file that cannot be shown, with the way to drop it", () => {
  for (const status of ["pending", "conflict"] as const) {
    const page = shown({ text: null, version: "", problem: "TOO_LARGE", edit: { ...edit, status } });
    expect(page).toContain("too large to be shown here");
    expect(page).toContain("my text");
    expect(page).toContain('data-testid="note-drop"');
    expect(page).not.toContain('data-testid="note-mine"');
  }
});

it("offers to drop an edit only until the agent has it", () => {
  expect(shown({})).toContain('data-testid="note-drop"');
  const page = shown({ edit: { ...edit, status: "applied" } });
  expect(page).toContain("Your agent has your edit of");
  expect(page).toContain("my text");
  expect(page).not.toContain('data-testid="note-drop"');
});
