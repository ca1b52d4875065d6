import type { ReactNode } from "react";
import { useLanguage, useText } from "../../i18n";
import { dollars } from "../../i18n/money";
import type { NoticeFrame } from "../../protocol/frames";
import { useChat, useSession } from "../context";
import { CloseIcon } from "../Icons";

/** What this deployment wants said, what the server advises, and the last error that belongs to no message. */
export function NoticeBar(): ReactNode {
  const { config, client } = useSession();
  const notice = useChat("notice");
  const advice = useChat("advice");
  return (
    <>
      {config.notice && <p className="bar bar-info" data-testid="notice">{config.notice}</p>}
      {/* Always there: a screen reader tells only what comes into a region that it knows. */}
      <div role="status">
        {advice && <Bar kind="info" testId="advice" onDismiss={() => client.dismissAdvice()}><Advice advice={advice} /></Bar>}
      </div>
      {notice && <div role="alert"><Bar kind="error" onDismiss={() => client.dismissNotice()}>{notice.message}</Bar></div>}
    </>
  );
}

function Advice({ advice: { code, message, usd, limitUsd } }: { advice: NoticeFrame }): ReactNode {
  const text = useText();
  const language = useLanguage();
  if (code !== "BUDGET_NEAR" || usd === undefined || limitUsd === undefined) return message;
  return text("budgetNear", { usd: dollars(usd, language), limit: dollars(limitUsd, language) });
}

interface BarProps {
  kind: "info" | "error";
  testId?: string;
  onDismiss(): void;
  children: ReactNode;
}

function Bar({ kind, testId, onDismiss, children }: BarProps): ReactNode {
  const text = useText();
  return (
    <div className={`bar bar-${kind}`} data-testid={testId}>
      <span>{children}</span>
      <button type="button" className="icon-button small" aria-label={text("dismiss")} onClick={onDismiss}><CloseIcon /></button>
    </div>
  );
}
