import { useEffect, useState, type ReactNode } from "react";
import { useText } from "../i18n";

interface Drawing { path: string; size: number }

/** A QR code as one SVG path. The encoder is loaded when the first code is shown. */
export function QrCode({ value }: { value: string }): ReactNode {
  const text = useText();
  const [drawing, setDrawing] = useState<Drawing | null>(null);
  useEffect(() => {
    let gone = false;
    void import("uqr").then(({ encode }) => {
      const { data, size } = encode(value, { ecc: "M", border: 2 });
      const path = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ""))).join("");
      if (!gone) setDrawing({ path, size });
    }, () => undefined);
    return () => { gone = true; };
  }, [value]);
  if (!drawing) return <div className="qr" aria-hidden="true" />;
  return (
    <svg className="qr" viewBox={`0 0 ${drawing.size} ${drawing.size}`} role="img" aria-label={text("qrAlt")} shapeRendering="crispEdges">
      <path d={drawing.path} />
    </svg>
  );
}
