import type { Token, Tokens } from "marked";
import { useState, type ReactNode } from "react";
import { useText } from "../i18n";
import { Picture } from "../ui/Picture";
import { Formula } from "./Formula";
import type { MathToken } from "./math";
import type { NoteMark } from "./notes";
import { decodeEntities, imageSource, safeHref } from "./safe";

export function Inline({ tokens }: { tokens: Token[] | undefined }): ReactNode {
  return tokens?.map((token, index) => <InlineToken key={index} token={token} />);
}

function InlineToken({ token }: { token: Token }): ReactNode {
  switch (token.type) {
    case "strong": return <strong><Inline tokens={token.tokens} /></strong>;
    case "em": return <em><Inline tokens={token.tokens} /></em>;
    case "del": return <del><Inline tokens={token.tokens} /></del>;
    case "codespan": return <code>{(token as Tokens.Codespan).text}</code>;
    case "br": return <br />;
    case "math": return <Formula tex={(token as MathToken).text} display={(token as MathToken).display} />;
    case "noteMark": return <Mark name={(token as NoteMark).name} />;
    case "link": return <SafeLink link={token as Tokens.Link} />;
    case "image": return <SafeImage image={token as Tokens.Image} />;
    // Raw HTML is shown as what it is: text. Only a line break is honoured.
    case "html": return /^<br\s*\/?>$/i.test(token.raw.trim()) ? <br /> : token.raw;
    case "checkbox": return null;
    case "text":
      return token.tokens ? <Inline tokens={token.tokens} /> : decodeEntities((token as Tokens.Text).text);
    case "escape": return (token as Tokens.Escape).text;
    default: return decodeEntities(token.raw);
  }
}

/** Goes to the footnote of the same answer. */
function Mark({ name }: { name: string }): ReactNode {
  const text = useText();
  const go = (from: HTMLElement) => {
    const note = from.closest(".markdown")?.querySelector<HTMLElement>(`[data-note="${CSS.escape(name)}"]`);
    note?.scrollIntoView({ block: "center" });
    note?.focus();
  };
  return (
    <sup><button type="button" className="md-mark" aria-label={text("footnote", { name })} onClick={(event) => go(event.currentTarget)}>{name}</button></sup>
  );
}

function SafeLink({ link }: { link: Tokens.Link }): ReactNode {
  const href = safeHref(link.href);
  const label = <Inline tokens={link.tokens} />;
  if (!href) return <span>{label}</span>;
  return <a href={href} title={link.title ?? undefined} target="_blank" rel="noopener noreferrer">{label}</a>;
}

function SafeImage({ image }: { image: Tokens.Image }): ReactNode {
  const text = useText();
  const [allowed, setAllowed] = useState(false);
  const source = imageSource(image.href);
  if (!source) return image.text;
  if (source.kind === "inline" || allowed) {
    return <Picture className="md-image" src={source.src} alt={image.text} />;
  }
  return (
    <button type="button" className="md-image-ask" onClick={() => setAllowed(true)}>
      {text("showImage", { host: source.host })}{image.text ? ` · ${image.text}` : ""}
    </button>
  );
}
