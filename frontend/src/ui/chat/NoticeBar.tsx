import type { ReactNode } from "react";
import { useText } from "../../i18n";
import { useChat, useSession } from "../context";
import { CloseIcon } from "../Icons";

/** What this deployment wants said, and the last error that belongs to no message. */
export function NoticeBar(): ReactNode {
  const text = useText();
  const { config, client } = useSession();
  const notice = useChat("notice");
  return (
    <>
      {config.notice && <p className="bar bar-info" data-testid="notice">{config.notice}</p>}
      {notice && (
        <div className="bar bar-error" role="alert">
          <span>{notice.message}</span>
          <button type="button" className="icon-button small" aria-label={text("dismiss")} onClick={() => client.dismissNotice()}>
            <CloseIcon />
          </button>
        </div>
      )}
    </>
  );
}
