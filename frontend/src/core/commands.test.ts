import { expect, it } from "vitest";
import { pageCommand } from "./commands";

it("knows the page's own commands, alone in a message", () => {
  expect(pageCommand("/new")).toBe("new");
  expect(pageCommand(" /STOP ")).toBe("stop");
  for (const text of ["/news", "/new custom/demo", "a /stop", "/loop 5m", "stop", ""]) expect(pageCommand(text)).toBeNull();
});
