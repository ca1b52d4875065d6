import type { ReactNode } from "react";
import type { ConversationSummary } from "../../api";
import { useText } from "../../i18n";
import { useConversationActions, useSettings } from "../queries";
import { Choice } from "./Choice";
import { isGone, modelOptions } from "./models";

/** Which model answers in the open conversation. It is saved as it is chosen. */
export function ConversationModel({ item }: { item: ConversationSummary | undefined }): ReactNode {
  const text = useText();
  const { data, isError, refetch } = useSettings();
  const { change } = useConversationActions();
  if (!item?.title) return <p className="muted" data-testid="conversation-unsaved">{text("conversationModelLater")}</p>;
  if (isError) {
    return <p role="alert">{text("settingsFailed")} <button type="button" className="link" onClick={() => void refetch()}>{text("retry")}</button></p>;
  }
  if (!data) return <p className="muted" role="status">{text("loading")}</p>;
  const { conversationId: id, model } = item;
  return (
    <>
      <Choice
        label={text("model")} testId="conversation-model" value={model ?? ""} options={modelOptions(data, model, text)}
        hint={model && isGone(data, model) ? text("conversationModelGone") : text("conversationModelHint")}
        onChoose={(value) => change.mutate({ id, model: value || null })}
      />
      {change.isError && <p className="form-error" role="alert">{text("saveFailed", { message: change.error.message })}</p>}
    </>
  );
}
