/** @file A QR code, black on white also in the dark theme. */
import { useMemo } from 'react';
import { qrDrawing, qrModules } from './qr';

interface Props {
  text: string;
  label: string;
}

export function QrCode({ text, label }: Props) {
  const { size, path } = useMemo(() => qrDrawing(qrModules(text)), [text]);
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shapeRendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path fill="#000" d={path} />
    </svg>
  );
}
