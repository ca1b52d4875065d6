import { useId, useState, type ReactNode } from "react";
import type { ConversationSummary } from "../../api";
import { useLanguage, useText } from "../../i18n";
import { foldersOf } from "../chat/listing";
import { useConversationActions, useConversations } from "../queries";
import { Choice } from "./Choice";

const MAX_NAME = 40;
/** No name of a folder: the server takes no control characters. */
const NEW = "\n";

/** In which folder the open conversation is. It is saved as it is chosen. */
export function ConversationFolder({ item }: { item: ConversationSummary | undefined }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const { data } = useConversations();
  const { change } = useConversationActions();
  const [naming, setNaming] = useState(false);
  if (!item?.title) return null; // the panel says so beside the model
  const { conversationId: id, folder } = item;
  const move = (to: string | null) => {
    setNaming(false);
    if (to !== (folder ?? null)) change.mutate({ id, folder: to });
  };
  const names = foldersOf(data ?? [], language).map((name) => [name, name] as const);
  return (
    <>
      <Choice
        label={text("folder")} testId="conversation-folder" value={naming ? NEW : folder ?? ""} hint={text("folderHint")}
        options={[["", text("folderNone")], ...names, [NEW, text("folderNew")]]}
        onChoose={(value) => (value === NEW ? setNaming(true) : move(value || null))}
      />
      {naming && <NewFolder onName={move} />}
      {change.isError && <p className="form-error" role="alert">{text("saveFailed", { message: change.error.message })}</p>}
    </>
  );
}

function NewFolder({ onName }: { onName(name: string): void }): ReactNode {
  const text = useText();
  const id = useId();
  const [name, setName] = useState("");
  const trimmed = name.trim().normalize("NFC");
  return (
    <form className="jump" onSubmit={(event) => { event.preventDefault(); if (trimmed) onName(trimmed); }}>
      <div className="field">
        <label htmlFor={id}>{text("folderName")}</label>
        <input id={id} dir="auto" data-testid="folder-name" required autoFocus maxLength={MAX_NAME} value={name} onChange={(event) => setName(event.target.value)} />
      </div>
      <button type="submit" className="button" data-testid="folder-move" disabled={!trimmed}>{text("folderMove")}</button>
    </form>
  );
}
