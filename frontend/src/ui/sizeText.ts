const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** A file size for people, such as "1.4 MB". */
export function sizeText(bytes: number, language: string): string {
  let step = 0;
  while (bytes >= 1000 && step < UNITS.length - 1) {
    bytes /= 1000;
    step += 1;
  }
  const digits = bytes < 10 && step > 0 ? 1 : 0;
  const style = { style: "unit", unit: UNITS[step] ?? "byte", unitDisplay: "short", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language, style).format(bytes);
}
