import type { ReactNode } from "react";
import { useText } from "../i18n";
import { Modal } from "./Modal";

interface Props {
  title: string;
  body: string;
  action: string;
  onConfirm(): void;
  onClose(): void;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ title, body, action, onConfirm, onClose }: Props): ReactNode {
  const text = useText();
  return (
    <Modal label={title} className="confirm" testId="confirm" onClose={onClose}>
      <h2>{title}</h2>
      <p>{body}</p>
      <div className="buttons">
        <button type="button" className="button" onClick={onClose} autoFocus>{text("cancel")}</button>
        <button type="button" className="button danger" data-testid="confirm-action" onClick={onConfirm}>{action}</button>
      </div>
    </Modal>
  );
}
