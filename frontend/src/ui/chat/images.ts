/** Makes a chosen picture small enough to send: models see no more than this anyway. */
import type { Attachment } from "../../protocol/frames";

const MAX_SIDE = 1568;
/** Base64 characters of one image; four of them stay under the 5 MB of one message. */
const MAX_BASE64 = 1_150_000;
/** Larger ones could stall the page while they are read. */
export const MAX_FILE_MB = 40;
/** What the server takes. */
const MAX_NAME = 255;
export const ACCEPTED = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** The picture cannot be made small enough. */
export class TooLarge extends Error {
  constructor(name: string, readonly limit = MAX_FILE_MB) {
    super(name);
  }
}

/** Rejects with TooLarge, or with another error when the file is no image that the browser can read. */
export async function toAttachment(file: File): Promise<Attachment> {
  if (file.size > MAX_FILE_MB * 1_000_000) throw new TooLarge(file.name);
  const small = file.size * 4 / 3 <= MAX_BASE64 / 4;
  if (small && ACCEPTED.has(file.type)) {
    const bitmap = await createImageBitmap(file);
    const fits = Math.max(bitmap.width, bitmap.height) <= MAX_SIDE;
    bitmap.close();
    if (fits) return { mimeType: file.type, fileName: file.name.slice(-MAX_NAME), content: await base64(file) };
  }
  return downscale(file);
}

async function downscale(file: File): Promise<Attachment> {
  const bitmap = await createImageBitmap(file);
  try {
    let side = MAX_SIDE;
    for (const quality of [0.85, 0.7, 0.55, 0.4]) {
      const content = await base64(await draw(bitmap, side, quality));
      if (content.length <= MAX_BASE64) {
        return { mimeType: "image/jpeg", fileName: `${file.name.replace(/\.\w+$/, "").slice(0, MAX_NAME - 4)}.jpg`, content };
      }
      side = Math.round(side * 0.8);
    }
    throw new TooLarge(file.name);
  } finally {
    bitmap.close();
  }
}

async function draw(bitmap: ImageBitmap, side: number, quality: number): Promise<Blob> {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  // JPEG has no transparency; without this it would turn black.
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no image"))), "image/jpeg", quality));
}

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^data:[^,]*,/, ""));
    reader.onerror = () => reject(new Error("unreadable"));
    reader.readAsDataURL(blob);
  });
}
