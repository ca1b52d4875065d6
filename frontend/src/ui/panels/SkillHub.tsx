import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type ReactNode } from "react";
import { ask, RequestError, type HubDetail, type HubSkill, type Installed } from "../../core/requests";
import { useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import { Confirm } from "../Confirm";
import { useChat, useSession } from "../context";
import { keys } from "../queries";
import { PROBLEMS } from "./SkillUploads";
import { Wake } from "./Wake";

const MAX_QUERY = 100;
const HUB_PROBLEMS: Record<string, TextKey> = {
  ...PROBLEMS, HUB_UNREACHABLE: "hubUnreachable", HUB_LIMIT: "hubLimit", HUB_NOT_FOUND: "hubGone", HUB_BLOCKED: "hubBlocked",
  HUB_UNCHECKED: "hubUnchecked", SKILL_EXISTS: "hubExists", ASLEEP: "hubAsleep", SILENT: "hubSilent", OFFLINE: "hubSilent",
};

/** ClawHub, as the running agent reaches it: searched, looked at, installed. */
export function SkillHub(): ReactNode {
  const text = useText();
  const awake = useChat("agent")?.status === "Running";
  return (
    <>
      <p className="muted">{text("hubHint")}</p>
      {awake ? <Search /> : <Wake why="hubAsleep" />}
    </>
  );
}

function Search(): ReactNode {
  const text = useText();
  const id = useId();
  const { client } = useSession();
  const [words, setWords] = useState("");
  const search = useMutation({ mutationFn: (wanted: string) => ask<{ results: HubSkill[] }>(client.socket, "skills.search", wanted) });
  return (
    <>
      <form onSubmit={(event) => { event.preventDefault(); if (words.trim()) search.mutate(words.trim()); }}>
        <div className="field">
          <label htmlFor={id}>{text("hubSearch")}</label>
          <input
            id={id} type="search" data-testid="hub-search" value={words} maxLength={MAX_QUERY} autoComplete="off"
            onChange={(event) => setWords(event.target.value)}
          />
        </div>
        <button type="submit" className="button" data-testid="hub-submit" disabled={search.isPending}>{text("hubSearchAction")}</button>
      </form>
      {search.isPending && <p className="muted" role="status">{text("hubSearching")}</p>}
      {search.isError && <Problem error={search.error} />}
      {search.data?.results.length === 0 && <p className="muted" role="status">{text("hubNone")}</p>}
      <ul className="automations">
        {search.data?.results.map((skill) => <Found key={skill.ref} skill={skill} />)}
      </ul>
    </>
  );
}

function Found({ skill }: { skill: HubSkill }): ReactNode {
  const text = useText();
  const { client } = useSession();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [asking, setAsking] = useState(false);
  const install = useMutation({
    mutationFn: () => ask<Installed>(client.socket, "skills.install", skill.ref),
    onSettled: () => queries.invalidateQueries({ queryKey: keys.skills }),
  });
  const { name } = skill;
  return (
    <li data-testid="hub-skill">
      <strong><bdi>{name}</bdi></strong> <small className="muted"><bdi>{skill.ref}</bdi></small>
      <p dir="auto">{skill.description}</p>
      {skill.unscanned && <p className="note-warning">{text("hubUnscanned")}</p>}
      {open && <Detail reference={skill.ref} />}
      {install.isPending && <p className="muted" role="status">{text("hubInstalling", { name })}</p>}
      {install.isError && <Problem error={install.error} />}
      {install.data && (
        <p role="status" data-testid="hub-installed">{text(install.data.saved ? "hubInstalled" : "hubUnsaved", { name, version: install.data.version })}</p>
      )}
      <div className="buttons">
        {!skill.installOnly && !open && (
          <button type="button" className="button" data-testid="hub-detail" onClick={() => setOpen(true)}>{text("hubDetails", { name })}</button>
        )}
        <button type="button" className="button" data-testid="hub-install" disabled={install.isPending || install.isSuccess} onClick={() => setAsking(true)}>
          {text("hubInstall", { name })}
        </button>
      </div>
      {asking && (
        <Confirm
          title={text("hubInstall", { name })} body={text("hubInstallConfirm", { name })} action={text("hubInstallAction")}
          onClose={() => setAsking(false)} onConfirm={() => { setAsking(false); install.mutate(); }}
        />
      )}
    </li>
  );
}

function Detail({ reference }: { reference: string }): ReactNode {
  const text = useText();
  const { client } = useSession();
  const { data, error } = useQuery({
    queryKey: [...keys.skills, "hub", reference], queryFn: () => ask<HubDetail>(client.socket, "skills.detail", reference), retry: false,
  });
  if (error) return <Problem error={error} />;
  if (!data) return <p className="muted" role="status">{text("loading")}</p>;
  return (
    <div data-testid="hub-about">
      {data.version && <p className="muted">{text("hubVersion", { version: data.version, owner: data.owner ?? "" })}</p>}
      <p dir="auto">{data.description}</p>
      {data.changes && <p className="muted" dir="auto">{text("hubChanges", { text: data.changes })}</p>}
    </div>
  );
}

function Problem({ error }: { error: Error }): ReactNode {
  const text = useText();
  const known = error instanceof RequestError ? HUB_PROBLEMS[error.code] : undefined;
  return <p className="form-error" role="alert" data-testid="hub-problem">{known ? text(known) : error.message}</p>;
}
