/** @file QR codes as paths of SVG. Pure. */
import encodeQR from 'qr';

/** Light modules around a code, which its standard (ISO/IEC 18004) asks for. */
const quietZone = 4;
/** Up to this many characters a code bears more damage; longer texts get fewer modules instead, so that they stay large. */
const sturdyUpTo = 300;

export interface QrDrawing {
  /** Modules of a side, the quiet zone included. */
  readonly size: number;
  /** Path of the dark modules, in modules. */
  readonly path: string;
}

/** The modules of a text's code with its quiet zone; true is dark. Error correction M up to 300 characters, L beyond. */
export function qrModules(text: string): boolean[][] {
  return encodeQR(text, 'raw', { ecc: text.length <= sturdyUpTo ? 'medium' : 'low', border: quietZone });
}

/** One rectangle for each run of dark modules in a row. */
export function qrDrawing(modules: readonly (readonly boolean[])[]): QrDrawing {
  let path = '';
  modules.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      let end = x;
      while (row[end]) end += 1;
      path += `M${x} ${y}h${end - x}v1h${x - end}z`;
      x = end;
    }
  });
  return { size: modules.length, path };
}

/** The code as an SVG document, dark on white in every theme. */
export function qrSvg({ size, path }: QrDrawing): string {
  const pixels = size * 10;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pixels}" height="${pixels}" viewBox="0 0 ${size} ${size}" ` +
    `shape-rendering="crispEdges"><rect width="${size}" height="${size}" fill="#fff"/><path fill="#000" d="${path}"/></svg>\n`
  );
}
