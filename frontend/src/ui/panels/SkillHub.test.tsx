import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, it } from "vitest";
import { SessionContext, type Session } from "../context";
import { HitList } from "./NoteHits";
import { SkillHub } from "./SkillHub";
import { stageOf } from "./Wake";

function shown(status: string): string {
  const client = { store: { subscribe: () => () => undefined, snapshot: () => ({ agent: { status } }) } };
  const session = { api: { health: {} }, client } as unknown as Session;
  return renderToStaticMarkup(
    <QueryClientProvider client={new QueryClient()}>
      <SessionContext.Provider value={session}><SkillHub /></SessionContext.Provider>
    </QueryClientProvider>,
  );
}

it("says that the agent must be awake and offers to wake it, once", () => {
  expect(shown("Idle")).toContain("must be awake");
  expect(shown("Idle")).toContain('data-testid="wake-agent"');
  expect(shown("Starting")).toContain("is waking up");
  expect(shown("Starting")).not.toContain('data-testid="wake-agent"');
  expect(shown("Running")).toContain('data-testid="hub-search"');
  expect(shown("Running")).not.toContain('data-testid="wake"');
});

it("follows a start from the click to its end", () => {
  expect(stageOf(undefined, false, false)).toBe("loading");
  expect(stageOf("Idle", false, false)).toBe("asleep");
  expect(stageOf("Idle", true, false)).toBe("asked");
  expect(stageOf("Starting", true, false)).toBe("starting");
  expect(stageOf("Idle", true, true)).toBe("died");
  expect(stageOf("Stopping", false, false)).toBe("stopping");
  expect(stageOf("Stopping", true, false)).toBe("next");
});

it("names the file and the line of what was found", () => {
  const page = renderToStaticMarkup(<HitList hits={[{ name: "MEMORY.md", line: 3, text: "The dentist" }]} testId="note-recalled" onOpen={() => undefined} />);
  expect(page).toContain("The dentist");
  expect(page).toContain("line 3");
  expect(page).toContain('data-testid="note-recalled"');
});
