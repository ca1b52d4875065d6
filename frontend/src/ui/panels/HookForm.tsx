import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent, type ReactNode } from "react";
import type { Hook, NewHook } from "../../api";
import { useText } from "../../i18n";
import { useSession } from "../context";
import { keys, useConversations } from "../queries";
import { Choice } from "./Choice";

const MAX_NAME = 60;
const MAX_INSTRUCTION = 2000;

/** What a new hook is to be; it is made on submit. */
export function HookForm({ onMade }: { onMade(made: { hook: Hook; url: string }): void }): ReactNode {
  const text = useText();
  const { api } = useSession();
  const queries = useQueryClient();
  const { data: conversations = [] } = useConversations();
  const [name, setName] = useState("");
  const [instruction, setInstruction] = useState("");
  const [conversation, setConversation] = useState("");
  const id = useId();
  const make = useMutation({
    mutationFn: (wanted: NewHook) => api.newHook(wanted),
    onSuccess: (made) => {
      queries.setQueryData<Hook[]>(keys.hooks, (known = []) => [...known, made.hook]);
      setName("");
      setInstruction("");
      setConversation("");
      onMade(made);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted: NewHook = { name: name.trim(), instruction: instruction.trim() };
    if (conversation) wanted.conversationId = conversation;
    if (!make.isPending) make.mutate(wanted);  // the server says what is wrong with a name
  };
  const options = conversations.map((one) => [one.conversationId, one.title] as const);
  return (
    <form className="hook-form" onSubmit={submit}>
      <div className="field">
        <label htmlFor={`${id}-name`}>{text("hookName")}</label>
        <input
          id={`${id}-name`} data-testid="hook-name" value={name} maxLength={MAX_NAME} aria-required="true" autoComplete="off"
          aria-describedby={`${id}-name-hint`} onChange={(event) => setName(event.target.value)}
        />
        <p className="hint" id={`${id}-name-hint`}>{text("hookNameHint")}</p>
      </div>
      <div className="field">
        <label htmlFor={`${id}-what`}>{text("hookInstruction")}</label>
        <textarea
          id={`${id}-what`} data-testid="hook-instruction" value={instruction} maxLength={MAX_INSTRUCTION}
          aria-describedby={`${id}-what-hint`} onChange={(event) => setInstruction(event.target.value)}
        />
        <p className="hint" id={`${id}-what-hint`}>{text("hookInstructionHint")}</p>
      </div>
      <Choice label={text("hookConversation")} testId="hook-conversation" value={conversation} onChoose={setConversation}
        options={[["", text("hookConversationOwn")], ...options]} />
      {make.isError && <p className="form-error" role="alert">{make.error.message}</p>}
      <button type="submit" className="button primary" data-testid="hook-create" disabled={make.isPending}>{text("hookCreate")}</button>
    </form>
  );
}
