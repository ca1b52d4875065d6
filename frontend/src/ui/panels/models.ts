import type { Settings } from "../../api";
import type { Translate } from "../../i18n";

type Known = Pick<Settings, "model" | "models">;

/** What a conversation may use: first the model of the settings, last its own one when that is not in the list. */
export function modelOptions({ model, models }: Known, own: string | undefined, text: Translate): [string, string][] {
  const name = model ?? models.find((one) => one.default)?.id ?? text("modelDefault");
  const ids = models.map(({ id }) => id);
  const all = own === undefined || ids.includes(own) ? ids : [...ids, own];
  return [["", text("conversationModelDefault", { name })], ...all.map((id): [string, string] => [id, id])];
}

/** Whether its provider was removed. Not every model of a provider is listed, so a model alone may be missing. */
export function isGone({ models }: Known, model: string): boolean {
  const provider = (id: string) => id.split("/", 1)[0];
  return models.length > 0 && !models.some(({ id }) => provider(id) === provider(model));
}
