import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type ReactNode } from "react";
import { ApiError } from "../../api";
import { asUpload, tooMuch } from "../../core/skills";
import { useText } from "../../i18n";
import type { TextKey } from "../../i18n/en";
import { Confirm } from "../Confirm";
import { useSession } from "../context";
import { keys } from "../queries";

export const PROBLEMS: Record<string, TextKey> = {
  TOO_LARGE: "skillTooLarge", SKILL_TOO_MANY_FILES: "skillTooMany", SKILL_BAD_ZIP: "skillBadZip", SKILL_BAD_PATH: "skillBadPath",
  SKILL_LINK: "skillLink", SKILL_RESERVED: "skillReserved", SKILL_NO_MANUAL: "skillNoManual", SKILL_BAD_MANUAL: "skillBadManual",
  SKILL_BAD_NAME: "skillBadName", TOO_MANY: "skillWaitsTooMany",
};

/** Takes a folder or a zip with a SKILL.md. It says what a skill may do before anything is sent. */
export function SkillUploads(): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const folder = useRef<HTMLInputElement>(null);
  const zip = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<File[]>([]);
  const [there, setThere] = useState<File[]>([]);
  const send = useMutation({
    mutationFn: async ({ files, replace }: { files: File[]; replace: boolean }) => {
      const problem = tooMuch(files);
      if (problem) throw new ApiError(413, problem, problem);
      return api.uploadSkill(await asUpload(files), replace);
    },
    onError: (error, { files }) => { if (error instanceof ApiError && error.code === "SKILL_EXISTS") setThere(files); },
    onSettled: () => queries.invalidateQueries({ queryKey: keys.skills }),
  });
  const picked = (input: HTMLInputElement) => {
    setChosen([...(input.files ?? [])]);
    input.value = "";
  };
  const name = chosen[0]?.webkitRelativePath.split("/")[0] || chosen[0]?.name || "";
  return (
    <>
      <p className="note-warning">{text("skillsSafety")}</p>
      <p className="muted">{text("skillsUploadHint")}</p>
      <input ref={folder} type="file" multiple hidden data-testid="skill-folder" {...{ webkitdirectory: "" }} onChange={(event) => picked(event.target)} />
      <input ref={zip} type="file" hidden data-testid="skill-zip" accept=".zip" onChange={(event) => picked(event.target)} />
      <div className="buttons start">
        <button type="button" className="button" disabled={send.isPending} onClick={() => folder.current?.click()}>{text("skillsFolder")}</button>
        <button type="button" className="button" disabled={send.isPending} onClick={() => zip.current?.click()}>{text("skillsZip")}</button>
      </div>
      {send.isPending && <p className="muted" role="status">{text("skillsSending")}</p>}
      {send.isError && there.length === 0 && <p className="form-error" role="alert" data-testid="skill-problem">{problemText(send.error, text)}</p>}
      {chosen.length > 0 && (
        <Confirm
          title={text("skillsUpload")} body={text("skillsUploadConfirm", { name })} action={text("skillsUpload")}
          onClose={() => setChosen([])} onConfirm={() => { send.mutate({ files: chosen, replace: false }); setChosen([]); }}
        />
      )}
      {there.length > 0 && (
        <Confirm
          title={text("skillsReplace")} body={text("skillsReplaceConfirm")} action={text("skillsReplace")}
          onClose={() => { setThere([]); send.reset(); }} onConfirm={() => { send.mutate({ files: there, replace: true }); setThere([]); }}
        />
      )}
    </>
  );
}

function problemText(error: Error, text: (key: TextKey) => string): string {
  const known = error instanceof ApiError ? PROBLEMS[error.code] : undefined;
  return known ? text(known) : error.message;
}
