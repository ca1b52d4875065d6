import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { asJson, asMarkdown, fileNameOf, wholeConversation } from "../../core/transcript";
import { useText } from "../../i18n";
import { saveText } from "../../save";
import { titleOf } from "../chat/titles";
import { useChat, useSession } from "../context";
import { useConversations } from "../queries";
import { SHORTCUTS } from "../shortcuts";
import { ConversationFolder } from "./ConversationFolder";
import { ConversationModel } from "./ConversationModel";
import { JumpToDate } from "./JumpToDate";

/** What can be done with the open conversation, and the keys of the page. */
export function ConversationPanel({ onClose }: { onClose(): void }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const current = useChat("current");
  const { data } = useConversations();
  const item = data?.find((one) => one.conversationId === current);
  const title = titleOf(item, current, text);
  const save = useMutation({
    mutationFn: async (kind: "md" | "json") => {
      const rows = await wholeConversation(api, current);
      const file = kind === "md" ? asMarkdown(title, rows, text("you"), text("agent")) : asJson(title, current, rows);
      saveText(file, fileNameOf(title, kind), kind === "md" ? "text/markdown" : "application/json");
    },
  });
  return (
    <>
      <section>
        <h3 dir="auto">{title}</h3>
        <ConversationModel item={item} />
        <ConversationFolder key={current} item={item} />
      </section>
      <section>
        <h3>{text("jumpTitle")}</h3>
        <JumpToDate onDone={onClose} />
      </section>
      <section>
        <h3>{text("exportTitle")}</h3>
        <p className="muted">{text("exportHint")}</p>
        <button type="button" className="button" data-testid="export-md" disabled={save.isPending} onClick={() => save.mutate("md")}>{text("exportMarkdown")}</button>
        <button type="button" className="button" data-testid="export-json" disabled={save.isPending} onClick={() => save.mutate("json")}>{text("exportJson")}</button>
        {save.isError && <p className="form-error" role="alert">{save.error.message}</p>}
      </section>
      <section>
        <h3>{text("shortcuts")}</h3>
        <dl className="shortcuts" data-testid="shortcuts">
          {SHORTCUTS.map(({ name, shown }) => (
            <div key={name}><dt>{text(name)}</dt><dd><kbd>{shown}</kbd></dd></div>
          ))}
        </dl>
      </section>
    </>
  );
}
