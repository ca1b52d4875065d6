import type { Language } from ".";

/** "$1.20". What rounds to nothing but is not nothing shows its first digits: "$0.0034". */
export function dollars(usd: number, language: Language): string {
  const style = { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" } as const;
  const tiny = usd > 0 && usd < 0.01;
  const digits = tiny ? { maximumSignificantDigits: 2 } : {};
  return new Intl.NumberFormat(language, { ...style, ...digits }).format(usd);
}
