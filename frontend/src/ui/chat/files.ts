/** Makes an attachment of a chosen file: a picture goes with the message, anything else straight to the bucket. */
import type { Api } from "../../api";
import type { Attachment } from "../../protocol/frames";
import { upload } from "../../upload";
import { ACCEPTED, toAttachment, TooLarge } from "./images";
import { isVoice } from "./recorder";

/** What the server takes. */
export const MAX_UPLOAD_MB = 20;

export class Empty extends Error {}
/** It is no picture, although it says that it is one. */
export class NoPicture extends Error {}

export type Read = (file: File, onProgress: (share: number) => void, signal: AbortSignal) => Promise<Attachment>;

/** Rejects with TooLarge, Empty, NoPicture, or what the upload fails with. */
export function reader(api: Pick<Api, "uploadAttachment">): Read {
  return async (file, onProgress, signal) => {
    if (file.size === 0) throw new Empty(file.name);
    const picture = file.type.startsWith("image/") ? await asPicture(file) : null;
    return picture ?? send(api, file, onProgress, signal);
  };
}

/** null: the browser cannot draw it (HEIC, SVG), but the agent may make something of the file. */
async function asPicture(file: File): Promise<Attachment | null> {
  try {
    return await toAttachment(file);
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    if (ACCEPTED.has(file.type)) throw new NoPicture(file.name);
    return null;
  }
}

async function send(
  api: Pick<Api, "uploadAttachment">, file: File, onProgress: (share: number) => void, signal: AbortSignal,
): Promise<Attachment> {
  if (file.size > MAX_UPLOAD_MB * 1_000_000) throw new TooLarge(file.name, MAX_UPLOAD_MB);
  const place = await api.uploadAttachment({ fileName: file.name, mimeType: file.type, bytes: file.size });
  signal.throwIfAborted();
  await upload(place, file, onProgress, signal);
  return { mimeType: place.mimeType, fileName: place.fileName, uploadId: place.id, bytes: file.size, ...(isVoice(file) ? { voice: true } : {}) };
}
