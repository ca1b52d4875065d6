import type { Token, Tokens } from "marked";
import { useState, type ReactNode } from "react";
import { useText } from "../i18n";
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
    return <img className="md-image" src={source.src} alt={image.text} loading="lazy" referrerPolicy="no-referrer" />;
  }
  return (
    <button type="button" className="md-image-ask" onClick={() => setAllowed(true)}>
      {text("showImage", { host: source.host })}{image.text ? ` · ${image.text}` : ""}
    </button>
  );
}
