import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Settings, SettingsPatch } from "../../api";
import { LEAST_BUDGET, MOST_BUDGET, parseBudget } from "../../core/budget";
import { useLanguage, useText, type Translate } from "../../i18n";
import { dollars } from "../../i18n/money";
import { useSession } from "../context";
import { keys } from "../queries";
import { Choice } from "./Choice";
import { Entry } from "./Entry";

const IDLE_MINUTES = [5, 10, 15, 30, 60, 120];
const RETENTION_DAYS = [30, 90, 180, 365];
const HEARTBEATS = [30, 60, 120, 240, 480];
const EARLY_BUDGETS = [0.1, 0.3, 0.6, 1, 2, 5];
const HOURS = ["08:00-22:00", "09:00-18:00", "06:00-24:00"];

/** Each choice is saved as it is made. */
export function AgentSettings({ settings }: { settings: Settings }): ReactNode {
  const text = useText();
  const save = useSave();
  const { model, models, idleTimeoutMinutes, timeZone, timeZoneFrom, retentionDays, budgetUsd, autoTitle, firstWords, smallTalk, voiceAnswers, permissionMode } = settings;
  return (
    <div className="settings" data-testid="settings">
      <Entry
        label={text("model")} testId="setting-model" value={model ?? ""} placeholder={text("modelDefault")} hint={text("modelHint")} suggestions={models}
        problem={(name) => (name === "" || name.includes("/") ? null : text("modelWrong"))}
        onSave={(name) => save.mutate({ model: name || null })}
      />
      <Entry
        label={text("budget")} testId="setting-budget" value={budgetUsd?.toString() ?? ""} placeholder={text("budgetDefault")} hint={text("budgetHint")} inputMode="decimal"
        problem={(amount) => (parseBudget(amount) === undefined ? text("budgetWrong", { least: LEAST_BUDGET, most: MOST_BUDGET }) : null)}
        onSave={(amount) => save.mutate({ budgetUsd: parseBudget(amount) ?? null })}
      />
      <Choice label={text("idleTimeout")} testId="setting-idle" value={idleTimeoutMinutes} usual="" hint={text("idleHint")} onChoose={(value) => save.mutate({ idleTimeoutMinutes: numberOf(value) })}
        options={numbers(IDLE_MINUTES, idleTimeoutMinutes, text("idleAuto"), "minutes", text)} />
      <Choice label={text("timeZone")} testId="setting-zone" value={timeZone} onChoose={(value) => save.mutate({ timeZone: value })}
        hint={text(timeZoneFrom === "browser" ? "timeZoneBrowser" : timeZoneFrom === null ? "timeZoneUnknown" : "timeZoneChosen")}
        options={zones(timeZone).map((zone) => [zone, zone.replaceAll("_", " ")] as const)} />
      <Choice label={text("retention")} testId="setting-retention" value={retentionDays} usual="" hint={text("retentionHint")} onChoose={(value) => save.mutate({ retentionDays: numberOf(value) })}
        options={numbers(RETENTION_DAYS, retentionDays, text("retentionForever"), "days", text)} />
      <Choice label={text("autoTitle")} testId="setting-titles" value={autoTitle ? "on" : "off"} usual="on" onChoose={(value) => save.mutate({ autoTitle: value === "on" })}
        hint={text("autoTitleHint")} options={[["on", text("autoTitleOn")], ["off", text("autoTitleOff")]]} />
      <Choice label={text("firstWords")} testId="setting-first-words" value={firstWords ? "on" : "off"} usual="on" onChoose={(value) => save.mutate({ firstWords: value === "on" })}
        hint={text("firstWordsHint")} options={[["on", text("firstWordsOn")], ["off", text("firstWordsOff")]]} />
      {firstWords && (
        <Choice label={text("smallTalk")} testId="setting-small-talk" value={smallTalk ? "on" : "off"} usual="off" onChoose={(value) => save.mutate({ smallTalk: value === "on" })}
          hint={text("smallTalkHint")} options={[["off", text("smallTalkOff")], ["on", text("smallTalkOn")]]} />
      )}
      <Choice label={text("voiceAnswers")} testId="setting-voice" value={voiceAnswers ? "on" : "off"} usual="off" onChoose={(value) => save.mutate({ voiceAnswers: value === "on" })}
        hint={text("voiceAnswersHint")} options={[["off", text("voiceAnswersOff")], ["on", text("voiceAnswersOn")]]} />
      <Choice label={text("permissionMode")} testId="setting-permission" value={permissionMode} usual="full" hint={text("permissionModeHint")}
        onChoose={(value) => save.mutate({ permissionMode: value === "ask" ? "ask" : "full" })}
        options={[["full", text("permissionFull")], ["ask", text("permissionAsk")]]} />
      <HeartbeatChoices settings={settings} onSave={save.mutate} />
      <EarlyBudget budget={settings.prewarmBudget} onSave={save.mutate} />
      <p className={save.isError ? "form-error" : "muted"} role="status" data-testid="settings-saved">
        {save.isError ? text("saveFailed", { message: save.error.message }) : save.isSuccess ? text("saved") : ""}
      </p>
    </div>
  );
}

/** Off, or an interval with its price beside it; the hours only for one that is on. */
function HeartbeatChoices({ settings, onSave }: { settings: Settings; onSave(patch: SettingsPatch): void }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { heartbeatMinutes, heartbeatHours, heartbeatPrices } = settings;
  const label = (minutes: number) => {
    const every = minutes < 60 ? text("everyMinutes", { count: minutes }) : text(minutes === 60 ? "everyHour" : "everyHours", { count: minutes / 60 });
    const usd = heartbeatPrices[minutes];
    return usd === undefined ? every : text("heartbeatPrice", { every, price: dollars(usd, language) });
  };
  const minutes = heartbeatMinutes === null || HEARTBEATS.includes(heartbeatMinutes) ? HEARTBEATS : [...HEARTBEATS, heartbeatMinutes];
  const hours = heartbeatHours === null || HOURS.includes(heartbeatHours) ? HOURS : [...HOURS, heartbeatHours];
  const known = Object.keys(heartbeatPrices).length > 0;
  return (
    <>
      <Choice label={text("heartbeat")} testId="setting-heartbeat" value={heartbeatMinutes} usual="" hint={text(known ? "heartbeatHint" : "heartbeatUnpriced")}
        onChoose={(value) => onSave({ heartbeatMinutes: numberOf(value) })}
        options={[["", text("heartbeatOff")], ...minutes.map((count): [string, string] => [String(count), label(count)])]} />
      {heartbeatMinutes !== null && (
        <Choice label={text("heartbeatHours")} testId="setting-heartbeat-hours" value={heartbeatHours} usual="" hint={text("heartbeatHoursHint")} onChoose={(value) => onSave({ heartbeatHours: value || null })}
          options={[["", text("heartbeatAlways")], ...hours.map((span): [string, string] => [span, span.replace("-", " – ")])]} />
      )}
    </>
  );
}

/** What starts before the person writes may cost in a month. */
function EarlyBudget({ budget, onSave }: { budget: number | null; onSave(patch: SettingsPatch): void }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const amounts = budget === null || budget === 0 || EARLY_BUDGETS.includes(budget) ? EARLY_BUDGETS : [...EARLY_BUDGETS, budget];
  return (
    <Choice label={text("earlyBudget")} testId="setting-early" value={budget} hint={text("earlyHint")}
      onChoose={(value) => onSave({ prewarmBudget: numberOf(value) })}
      options={[["", text("budgetDefault")], ["0", text("earlyOff")],
        ...amounts.map((usd): [string, string] => [String(usd), text("earlyUpTo", { amount: dollars(usd, language) })])]} />
  );
}

/** How much a notification says: it may be read on a locked screen. */
export function PushText({ settings }: { settings: Settings }): ReactNode {
  const text = useText();
  const save = useSave();
  return (
    <Choice label={text("pushText")} testId="setting-push-text" value={settings.pushText ? "on" : "off"} usual="on" onChoose={(value) => save.mutate({ pushText: value === "on" })}
      hint={save.isError ? text("saveFailed", { message: save.error.message }) : text("pushTextHint")}
      options={[["on", text("pushTextOn")], ["off", text("pushTextOff")]]} />
  );
}

function useSave() {
  const { api } = useSession();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (patch: SettingsPatch) => api.saveSettings(patch),
    onMutate: (patch) => queries.setQueryData<Settings>(keys.settings, (known) => known && { ...known, ...patch }),
    onSuccess: (saved, patch) => {
      queries.setQueryData(keys.settings, saved);
      // The status tells how near the limit is.
      if ("budgetUsd" in patch || "prewarmBudget" in patch) void queries.invalidateQueries({ queryKey: keys.status });
    },
    onError: () => void queries.invalidateQueries({ queryKey: keys.settings }),
  });
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
