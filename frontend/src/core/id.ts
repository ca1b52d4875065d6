const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

/** A random id of the characters the protocol allows (20 characters, 103 bits). */
export function newId(prefix = ""): string {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  let id = prefix;
  // 36 does not divide 256; the bias is far below what an id needs.
  for (const byte of bytes) id += ALPHABET[byte % ALPHABET.length];
  return id;
}
