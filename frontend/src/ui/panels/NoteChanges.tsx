import type { ReactNode } from "react";
import type { NoteChanges as Changed } from "../../api";
import { useLanguage, useText } from "../../i18n";
import { diffLines } from "./notes";

const TAGS = { added: "ins", removed: "del", same: "span", place: "span" } as const;

/** The last change of the memory files that was the agent's own. */
export function NoteChanges({ changed }: { changed: Changed }): ReactNode {
  const text = useText();
  const language = useLanguage();
  const time = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(changed.at);
  return (
    <section data-testid="notes-changed">
      <h3>{text("notesChanged")}</h3>
      <p className="muted">{text("notesChangedAt", { time })}</p>
      {changed.files.map(({ name, diff }) => (
        <details key={name} className="note-change" open={changed.files.length === 1}>
          <summary><bdi>{name}</bdi></summary>
          {diff ? <Diff diff={diff} /> : <p className="muted">{text("notesNoDiff")}</p>}
        </details>
      ))}
      {changed.cut && <p className="muted">{text("notesChangedCut")}</p>}
    </section>
  );
}

function Diff({ diff }: { diff: string }): ReactNode {
  return (
    <div className="diff" dir="auto">
      {diffLines(diff).map(({ kind, sign, text }, index) => {
        const Tag = TAGS[kind];
        return <Tag key={index} data-kind={kind}><b>{sign}</b><span>{text || " "}</span></Tag>;
      })}
    </div>
  );
}
