import type { ElementContent, RootContent } from "hast";
import { common, createLowlight } from "lowlight";
import type { ReactNode } from "react";

const lowlight = createLowlight(common);

/** Code as coloured spans; null for a language that is not known. */
export function highlight(code: string, language: string): ReactNode | null {
  const name = language.toLowerCase();
  if (!lowlight.registered(name)) return null;
  return toReact(lowlight.highlight(name, code).children);
}

function toReact(nodes: (ElementContent | RootContent)[]): ReactNode {
  return nodes.map((node, index) => {
    if (node.type === "text") return node.value;
    if (node.type !== "element") return null;
    const classes = node.properties["className"];
    return (
      <span key={index} className={Array.isArray(classes) ? classes.join(" ") : undefined}>
        {toReact(node.children)}
      </span>
    );
  });
}
