import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type ReactNode } from "react";
import type { Settings, SettingsPatch } from "../../api";
import { useText, type Translate } from "../../i18n";
import { useSession } from "../context";
import { LanguagePicker } from "../LanguagePicker";
import { preferences, type Theme } from "../preferences";
import { keys } from "../queries";
import { Totp } from "./Totp";

const IDLE_MINUTES = [5, 10, 15, 30, 60, 120];
const RETENTION_DAYS = [30, 90, 180, 365];

export function SettingsPanel(): ReactNode {
  const text = useText();
  const { api, user } = useSession();
  const { data, isPending, refetch } = useQuery({ queryKey: keys.settings, queryFn: api.settings });
  return (
    <>
      <section>
        <h3>{text("agent")}</h3>
        {data ? <AgentSettings settings={data} />
          : isPending ? <p className="muted" role="status">{text("loading")}</p>
          : <div role="alert">
              <p>{text("settingsFailed")}</p>
              <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
            </div>}
      </section>
      <section>
        <h3>{text("thisBrowser")}</h3>
        <div className="field"><span aria-hidden="true" className="label">{text("language")}</span><LanguagePicker /></div>
        <ThemePicker />
      </section>
      <section>
        <h3>{text("account")}</h3>
        <p className="muted ellipsis">{user.email}</p>
        <Totp />
      </section>
    </>
  );
}

/** Each choice is saved as it is made. */
function AgentSettings({ settings }: { settings: Settings }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: (patch: SettingsPatch) => api.saveSettings(patch),
    onMutate: (patch) => queries.setQueryData<Settings>(keys.settings, (known) => known && { ...known, ...patch }),
    onSuccess: (saved) => queries.setQueryData(keys.settings, saved),
    onError: () => void queries.invalidateQueries({ queryKey: keys.settings }),
  });
  const { model, models, idleTimeoutMinutes, timeZone, retentionDays } = settings;
  return (
    <div className="settings" data-testid="settings">
      <Choice label={text("model")} testId="setting-model" value={model ?? ""} onChoose={(value) => save.mutate({ model: value || null })}
        options={[["", text("modelDefault")], ...models.map(({ id, name }) => [id, name] as const)]} />
      <Choice label={text("idleTimeout")} testId="setting-idle" value={idleTimeoutMinutes} onChoose={(value) => save.mutate({ idleTimeoutMinutes: numberOf(value) })}
        options={numbers(IDLE_MINUTES, idleTimeoutMinutes, text("idleAuto"), "minutes", text)} />
      <Choice label={text("timeZone")} testId="setting-zone" value={timeZone} onChoose={(value) => save.mutate({ timeZone: value })}
        options={zones(timeZone).map((zone) => [zone, zone.replaceAll("_", " ")] as const)} />
      <Choice label={text("retention")} testId="setting-retention" value={retentionDays} onChoose={(value) => save.mutate({ retentionDays: numberOf(value) })}
        options={numbers(RETENTION_DAYS, retentionDays, text("retentionForever"), "days", text)} />
      <p className={save.isError ? "form-error" : "muted"} role="status" data-testid="settings-saved">
        {save.isError ? text("saveFailed", { message: save.error.message }) : save.isSuccess ? text("saved") : ""}
      </p>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  testId: string;
  value: string | number | null;
  options: readonly (readonly [string, string])[];
  onChoose(value: string): void;
}

function Choice({ label, testId, value, options, onChoose }: ChoiceProps): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} data-testid={testId} value={value ?? ""} onChange={(event) => onChoose(event.target.value)}>
        {options.map(([key, name]) => <option key={key} value={key}>{name}</option>)}
      </select>
    </div>
  );
}

const numberOf = (value: string) => (value === "" ? null : Number(value));

/** The usual numbers, with whatever is set now among them. */
function numbers(usual: number[], current: number | null, none: string, unit: "minutes" | "days", text: Translate): [string, string][] {
  const all = current === null || usual.includes(current) ? usual : [...usual, current].sort((a, b) => a - b);
  return [["", none], ...all.map((count): [string, string] => [String(count), text(unit, { count })])];
}

function zones(current: string): string[] {
  const known = Intl.supportedValuesOf("timeZone");
  return known.includes(current) ? known : [current, ...known];
}

function ThemePicker(): ReactNode {
  const text = useText();
  const [theme, setTheme] = useState<Theme>(preferences.theme);
  const choose = (value: string) => {
    preferences.setTheme(value as Theme);
    setTheme(value as Theme);
  };
  return (
    <Choice label={text("theme")} testId="setting-theme" value={theme} onChoose={choose}
      options={[["system", text("themeSystem")], ["light", text("themeLight")], ["dark", text("themeDark")]]} />
  );
}
