import type { Settings, SettingsPatch } from "../api";

interface ZoneApi {
  settings(): Promise<Settings>;
  saveSettings(patch: SettingsPatch): Promise<Settings>;
}

/** The settings, to which the browser has given its time zone if nobody has set one. The server keeps a set one in any case. */
export async function settingsWithZone(api: ZoneApi, zone: string | undefined): Promise<Settings> {
  const settings = await api.settings();
  if (settings.timeZoneFrom || !zone) return settings;
  // A zone that the server does not know is refused; then the one in Settings has to be chosen.
  return api.saveSettings({ browserTimeZone: zone }).catch(() => settings);
}
