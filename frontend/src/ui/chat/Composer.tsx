import { useEffect, useRef, useState, type ClipboardEvent, type KeyboardEvent, type ReactNode } from "react";
import { pageCommand, type PageCommand } from "../../core/commands";
import type { ChatState } from "../../core/state";
import { timeline } from "../../core/timeline";
import { againId } from "../../core/versions";
import { useText } from "../../i18n";
import { MAX_ATTACHMENTS, MAX_TEXT_LENGTH } from "../../protocol/frames";
import { useChat, useSession } from "../context";
import { ClipIcon, CloseIcon, SendIcon, StopIcon } from "../Icons";
import { finishes, sendsOnEnter } from "../keys";
import { Attachments } from "./Attachments";
import type { Problem } from "./drafts";
import { MicButton } from "./MicButton";
import type { Draft } from "./useDraft";
import { useFileDrop } from "./useFileDrop";

export const COMPOSER_ID = "composer-field";

export function Composer({ draft }: { draft: Draft }): ReactNode {
  const text = useText();
  const { client } = useSession();
  const current = useChat("current");
  const field = useRef<HTMLTextAreaElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const { value } = draft;
  const trimmed = value.text.trim();
  const over = [...trimmed].length - MAX_TEXT_LENGTH;
  const reading = value.reading.length > 0;
  const sendable = (trimmed !== "" || value.attachments.length > 0) && over <= 0 && !reading;

  // A touch keyboard would cover what was just opened.
  useEffect(() => {
    if (!matchMedia("(pointer: coarse)").matches) field.current?.focus();
  }, [current]);
  useEffect(() => {
    if (draft.focusAsked) field.current?.focus();
  }, [draft.focusAsked]);

  const send = () => {
    if (!sendable) return;
    const command = value.attachments.length ? null : pageCommand(trimmed);
    if (command) return obey(command);
    client.send(trimmed, value.attachments, value.editing === null ? undefined : againId(value.editing));
    draft.clear();
    setProblem(null);
    field.current?.focus();
  };

  const obey = (command: PageCommand) => {
    draft.clear();
    setProblem(null);
    if (command === "new") client.startNew();
    else if (isBusy(client.store.state)) client.abort();
    else client.tell({ code: "NOTHING_RUNS", message: text("nothingToStop") });
  };

  const tell = ({ key, ...named }: Problem) =>
    setProblem(text(key, { count: MAX_ATTACHMENTS, ...named }));
  const addFiles = (files: readonly File[]) => {
    setProblem(null);
    void draft.addFiles(files, tell);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (value.editing !== null && finishes(event.nativeEvent) === "drop") return draft.clear();
    if (!sendsOnEnter(event.nativeEvent, matchMedia("(pointer: coarse)").matches)) return;
    event.preventDefault();
    send();
  };
  const onPaste = (event: ClipboardEvent) => {
    const files = [...event.clipboardData.files];
    if (files.length === 0) return;
    event.preventDefault();
    addFiles(files);
  };
  const dropping = useFileDrop(addFiles);

  return (
    <form
      className={dropping ? "composer dropping" : "composer"}
      onSubmit={(event) => { event.preventDefault(); send(); }}
    >
      {value.editing !== null && (
        <div className="editing">
          <span>{text("editing")}</span>
          <button type="button" className="icon-button small" aria-label={text("cancel")} onClick={draft.clear}><CloseIcon /></button>
        </div>
      )}
      {(value.attachments.length > 0 || reading) && (
        <Attachments attachments={value.attachments} reading={value.reading} onRemove={draft.remove} onCancel={draft.cancel} />
      )}
      <div className="composer-row">
        <AttachButton onFiles={addFiles} />
        <textarea
          ref={field} id={COMPOSER_ID} data-testid="composer" rows={1} dir="auto" value={value.text} enterKeyHint="enter"
          aria-label={text("composerLabel")} aria-describedby="composer-hint" placeholder={text(dropping ? "dropHere" : "composerPlaceholder")}
          onChange={(event) => { client.socket.intent.show(); draft.setText(event.target.value); }}
          onFocus={() => client.socket.intent.show()} onKeyDown={onKeyDown} onPaste={onPaste}
        />
        <MicButton onRecorded={(file) => addFiles([file])} onRefused={() => setProblem(text("micRefused"))} />
        <StopButton onStop={() => field.current?.focus()} />
        <button type="submit" className="round-button" data-testid="send" disabled={!sendable} aria-label={text("send")} title={text("send")}>
          <SendIcon />
        </button>
      </div>
      {reading
        ? <p className="composer-hint busy" role="status">{text("readingFiles", { count: value.reading.length })}</p>
        : <p id="composer-hint" className="composer-hint">{text("composerHint")}</p>}
      <p className="form-error" role="alert">
        {over > 0 ? text("tooLong", { count: over, limit: MAX_TEXT_LENGTH }) : problem}
      </p>
    </form>
  );
}

function AttachButton({ onFiles }: { onFiles(files: File[]): void }): ReactNode {
  const text = useText();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className="icon-button" aria-label={text("attach")} title={text("attach")} onClick={() => input.current?.click()}>
        <ClipIcon />
      </button>
      <input
        ref={input} type="file" multiple hidden data-testid="attach-input"
        onChange={(event) => { onFiles([...(event.target.files ?? [])]); event.target.value = ""; }}
      />
    </>
  );
}

/** Whether an answer is being written, or a running agent has a question before it. */
function isBusy({ conversations, current, agent }: Pick<ChatState, "conversations" | "current" | "agent">): boolean {
  const conversation = conversations[current];
  const items = conversation ? timeline(conversation) : [];
  const waiting = agent?.status === "Running" && items.some((item) => item.waiting && item.state === "done");
  return waiting || items.some((item) => item.state === "streaming");
}

/** It goes away when pressed, so the focus must go on. */
function StopButton({ onStop }: { onStop(): void }): ReactNode {
  const text = useText();
  const { client } = useSession();
  const busy = isBusy({ conversations: useChat("conversations"), current: useChat("current"), agent: useChat("agent") });
  const stopping = useChat("stopping");
  if (!busy) return null;
  const label = text(stopping ? "stopping" : "stop");
  return (
    <button type="button" className="round-button stop" data-testid="stop" disabled={stopping} aria-label={label} title={label} onClick={() => { client.abort(); onStop(); }}>
      <StopIcon />
    </button>
  );
}
