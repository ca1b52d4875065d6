import { expect, it, vi } from "vitest";
import type { Settings } from "../api";
import { settingsWithZone } from "./zone";

const unset = { timeZone: "UTC", timeZoneFrom: null } as Settings;

it("gives the browser's zone to a person without one", async () => {
  const saveSettings = vi.fn(async () => ({ ...unset, timeZone: "Europe/Berlin", timeZoneFrom: "browser" }) as Settings);
  const settings = await settingsWithZone({ settings: async () => unset, saveSettings }, "Europe/Berlin");
  expect(saveSettings).toHaveBeenCalledExactlyOnceWith({ browserTimeZone: "Europe/Berlin" });
  expect(settings.timeZone).toBe("Europe/Berlin");
});

it("leaves a zone alone, wherever it came from", async () => {
  const saveSettings = vi.fn();
  for (const timeZoneFrom of ["user", "browser"] as const) {
    await settingsWithZone({ settings: async () => ({ ...unset, timeZoneFrom }), saveSettings }, "Europe/Berlin");
  }
  await settingsWithZone({ settings: async () => unset, saveSettings }, undefined);
  expect(saveSettings).not.toHaveBeenCalled();
});

it("does without when the server does not know the zone", async () => {
  const saveSettings = async () => { throw new Error("BAD_FIELD"); };
  expect(await settingsWithZone({ settings: async () => unset, saveSettings }, "Etc/Unknown")).toBe(unset);
});
