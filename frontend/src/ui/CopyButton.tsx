import { useEffect, useState, type ReactNode } from "react";
import { useText } from "../i18n";
import { CheckIcon, CopyIcon } from "./Icons";

export function CopyButton({ value, label }: { value: string; label: string }): ReactNode {
  const text = useText();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => navigator.clipboard?.writeText(value).then(() => setCopied(true), () => undefined);
  const name = copied ? text("copied") : label;
  return (
    <button type="button" className="icon-button small" onClick={copy} aria-label={name} title={name}>
      {copied ? <CheckIcon /> : <CopyIcon />}
    </button>
  );
}
