/** Commands that the page itself carries out; all others go to the agent. */
export type PageCommand = "new" | "stop";

export function pageCommand(text: string): PageCommand | null {
  const found = /^\/(new|stop)$/i.exec(text.trim());
  return found ? found[1]!.toLowerCase() as PageCommand : null;
}
