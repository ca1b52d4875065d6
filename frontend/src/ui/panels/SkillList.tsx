import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { withWaiting, type SkillReport, type SkillRow } from "../../core/skills";
import { useLanguage, useText } from "../../i18n";
import { Confirm } from "../Confirm";
import { useChat, useSession } from "../context";
import { keys } from "../queries";

// Each save is told, but a tab that was offline has missed it.
const POLL_MS = 60_000;
const WAITS = { on: "skillWaitsOn", off: "skillWaitsOff", put: "skillWaitsPut", delete: "skillWaitsDelete" } as const;

/** The agent's skills, as it showed them last, with what waits until it has it. */
export function SkillList(): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { api } = useSession();
  const { data, isError, error, refetch } = useQuery({
    queryKey: keys.skills, queryFn: api.skills, staleTime: 0, refetchInterval: POLL_MS,
  });
  if (isError) {
    return (
      <div role="alert">
        <p>{text("skillsFailed", { message: error.message })}</p>
        <button type="button" className="button" onClick={() => void refetch()}>{text("retry")}</button>
      </div>
    );
  }
  if (!data) return <p className="muted" role="status">{text("loading")}</p>;
  const time = data.at === null ? "" : new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(data.at);
  return (
    <>
      <p className="muted" data-testid="skills-at">{time ? text("skillsAt", { time }) : text("skillsNever")}</p>
      <ul className="automations">
        {withWaiting(data).map((skill) => <Row key={skill.key} skill={skill} />)}
      </ul>
    </>
  );
}

function Row({ skill }: { skill: SkillRow }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const kept = (report: SkillReport) => queries.setQueryData(keys.skills, report);
  const change = useMutation({ mutationFn: (on: boolean) => api.switchSkill(skill.key, on), onSuccess: kept });
  const remove = useMutation({ mutationFn: () => api.deleteSkill(skill.folder!), onSuccess: kept });
  const busy = change.isPending || remove.isPending;
  const failure = change.error ?? remove.error;
  const settled = skill.waits !== "put" && skill.waits !== "delete" && skill.waits !== "refused";
  return (
    <li data-testid="skill" data-waits={skill.waits} data-on={skill.on}>
      <strong><bdi>{skill.name}</bdi></strong> <small className="muted">{text(skill.folder ? "skillOwn" : "skillBundled")}</small>
      <p dir="auto">{skill.description}</p>
      <About skill={skill} />
      {failure && <p className="form-error" role="alert">{failure.message}</p>}
      <div className="buttons">
        {settled && (
          <button type="button" className="button" data-testid="skill-switch" disabled={busy} onClick={() => change.mutate(!skill.on)}>
            {text(skill.on ? "skillTurnOff" : "skillTurnOn", { name: skill.name })}
          </button>
        )}
        {skill.waits === "refused" && (
          <button type="button" className="button" data-testid="skill-dismiss" disabled={busy} onClick={() => remove.mutate()}>{text("skillDismiss")}</button>
        )}
        {skill.folder && skill.waits !== "delete" && skill.waits !== "refused" && (
          <button type="button" className="button danger-quiet" data-testid="skill-delete" disabled={busy} onClick={() => setAsking(true)}>{text("skillDelete", { name: skill.name })}</button>
        )}
      </div>
      {asking && (
        <Confirm
          title={text("skillDelete", { name: skill.name })} body={text("skillDeleteConfirm", { name: skill.name })} action={text("skillDeleteAction")}
          onClose={() => setAsking(false)} onConfirm={() => { setAsking(false); remove.mutate(); }}
        />
      )}
    </li>
  );
}

/** What it asks for, and what waits. */
function About({ skill }: { skill: SkillRow }): ReactNode {
  const text = useText();
  const awake = useChat("agent")?.status === "Running";
  const when = text(awake ? "skillSoon" : "skillAtWake");
  return (
    <>
      {skill.needs.length > 0 && <p className="muted">{text("skillNeeds", { names: skill.needs.join(", ") })}</p>}
      {skill.missing.length > 0 && <p className="note-warning">{text("skillMissing", { names: skill.missing.join(", ") })}</p>}
      {!skill.on && !skill.waits && <p className="muted">{text("skillIsOff")}</p>}
      {skill.waits === "refused"
        ? <p className="note-warning" role="status">{text("skillRefused")}</p>
        : skill.waits && <p className="note-waits" role="status">{text(WAITS[skill.waits])} {when}</p>}
    </>
  );
}
