import type { ReactNode } from "react";
import { useText } from "../../i18n";
import { Markdown } from "../../markdown/Markdown";

/** A memory file as Markdown. */
export function NoteText({ text: shown }: { text: string }): ReactNode {
  const text = useText();
  if (!shown.trim()) return <p className="muted">{text("noteEmpty")}</p>;
  return <div className="note-text" data-testid="note-text"><Markdown text={shown} streaming={false} /></div>;
}
