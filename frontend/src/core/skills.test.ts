import { describe, expect, it } from "vitest";
import { MAX_BYTES, tooMuch, withWaiting, type Skill, type SkillWish } from "./skills";

const skill = (name: string, more: Partial<Skill> = {}): Skill => ({
  key: name, name, description: "does", on: true, offered: true, needs: [], missing: [], bundled: false, folder: name, ...more,
});
const wish = (name: string, action: SkillWish["action"], more: Partial<SkillWish> = {}): SkillWish => ({ name, action, at: 1, status: "pending", ...more });

describe("skills and what waits", () => {
  it("shows the list as it will be", () => {
    const { folder: _, ...weather } = skill("weather", { bundled: true });
    const rows = withWaiting({
      at: 1, skills: [weather, skill("tea"), skill("cake", { on: false }), skill("own")],
      waiting: [wish("weather", "off"), wish("tea", "delete"), wish("cake", "on"), wish("new", "put", { description: "is new" }),
        wish("own", "put", { status: "refused" }), wish("gone", "delete"), wish("gone", "off")],
    });
    expect(rows.map(({ name, on, waits }) => [name, on, waits])).toEqual([
      ["weather", false, "off"], ["tea", true, "delete"], ["cake", true, "on"], ["own", true, "refused"], ["new", true, "put"],
    ]);
    expect(rows[4]!.description).toBe("is new");
  });
  it("sends nothing that is too much", () => {
    expect([tooMuch([{ size: MAX_BYTES }]), tooMuch([{ size: MAX_BYTES }, { size: 1 }]), tooMuch(Array(101).fill({ size: 0 }))]).toEqual(
      [null, "TOO_LARGE", "SKILL_TOO_MANY_FILES"]);
  });
});
