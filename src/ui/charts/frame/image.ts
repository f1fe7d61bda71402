/**
 * @file A chart as an image with everything that belongs to it: title, what was measured, the chart with its axes, the legend,
 * the model and the date.
 */
import { LabError } from '../../../errors';
import { plainColour, standalone } from './standalone';
import { wrapped } from './words';

/** Words of an image besides those in the chart. */
export interface ImageWords {
  readonly title: string;
  /** What was measured, and by which device. */
  readonly note: string;
  /** Model, date and program, in one line. */
  readonly footer: string;
}

const namespace = 'http://www.w3.org/2000/svg';
const padding = 20;
/** Pixels of the PNG for each pixel of the page. */
const scale = 2;

interface Face {
  readonly size: number;
  readonly weight: number;
  readonly colour: string;
}

/**
 * The chart in `frame` with its legend as one SVG document, in the colours that the page has now.
 * @throws LabError 'not-found' if the chart is not drawn yet
 */
export function chartSvg(frame: HTMLElement, { title, note, footer }: ImageWords): SVGSVGElement {
  const chart = frame.querySelector<SVGSVGElement>('svg.recharts-surface');
  if (!chart) throw new LabError('not-found', 'The chart is not drawn yet.', 'Wait a moment, then download it again.');
  const style = getComputedStyle(frame);
  const colourOf = (name: string): string => {
    const probe = frame.ownerDocument.createElement('i');
    probe.style.color = `var(${name})`;
    frame.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return plainColour(color);
  };
  const font = style.fontFamily;
  const ink = colourOf('--ink');
  const soft = colourOf('--soft');
  const { box, width } = extent(chart);
  const document = element('svg', { xmlns: namespace });
  const room = width + 2 * padding;
  const background = element('rect', { width: room, fill: colourOf('--card') });
  document.append(background);

  let y = padding;
  const write = (words: string, x: number, baseline: number, { size, weight, colour }: Face): void => {
    const text = element('text', { x, y: baseline, fill: colour, 'font-size': size, 'font-weight': weight });
    text.setAttribute('font-family', font);
    text.textContent = words;
    document.append(text);
  };
  const paragraph = (words: string, face: Face): void => {
    for (const line of wrapped(words, width, measure(font, face))) {
      y += face.size * 1.4;
      write(line, padding, y - face.size * 0.35, face);
    }
  };
  paragraph(title, { size: 17, weight: 640, colour: ink });
  paragraph(note, { size: 12, weight: 400, colour: soft });
  y += 10;

  const copy = standalone(chart);
  copy.removeAttribute('viewBox');
  attributes(copy, { x: padding - box.x, y: y - box.y, width: box.width, height: box.height, overflow: 'visible' });
  document.append(copy);
  y += box.height + 8;

  const face: Face = { size: 12.5, weight: 400, colour: soft };
  const widthOf = measure(font, face);
  let x = padding;
  for (const item of frame.querySelectorAll<HTMLElement>('.chart-legend li')) {
    if (item.offsetParent === null) continue; // not shown at this width
    const words = item.textContent ?? '';
    const needed = 26 + widthOf(words);
    if (x > padding && x + needed > padding + width) [x, y] = [padding, y + 19];
    const drawing = item.querySelector('svg');
    if (drawing) {
      const mark = standalone(drawing);
      attributes(mark, { x, y: y + 2, width: 22, height: 14 });
      document.append(mark);
    }
    write(words, x + 26, y + 13.5, face);
    x += needed + 16;
  }
  if (x > padding) y += 22;
  paragraph(footer, { size: 11, weight: 400, colour: soft });
  const height = Math.ceil(y + padding * 0.7);
  background.setAttribute('height', String(height));
  attributes(document, { width: room, height, viewBox: `0 0 ${room} ${height}` });
  return document as SVGSVGElement;
}

/** The chart's own box, widened by what is drawn beyond its edges. */
function extent(chart: SVGSVGElement): { box: DOMRect; width: number } {
  const drawn = chart.getBBox();
  const left = Math.floor(Math.min(0, drawn.x));
  const top = Math.floor(Math.min(0, drawn.y));
  const right = Math.ceil(Math.max(Number(chart.getAttribute('width')), drawn.x + drawn.width));
  const bottom = Math.ceil(Math.max(Number(chart.getAttribute('height')), drawn.y + drawn.height));
  return { box: new DOMRect(left, top, right - left, bottom - top), width: right - left };
}

type Values = Readonly<Record<string, string | number>>;

function element(name: string, values: Values): SVGElement {
  const made = document.createElementNS(namespace, name) as SVGElement;
  attributes(made, values);
  return made;
}

function attributes(target: Element, values: Values): void {
  for (const [name, value] of Object.entries(values)) {
    if (name !== 'xmlns') target.setAttribute(name, String(value));
  }
}

/** The width of a text in one face, px. */
function measure(font: string, { size, weight }: Face): (words: string) => number {
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  if (!context) return (words) => words.length * size * 0.56;
  context.font = `${weight} ${size}px ${font}`;
  return (words) => context.measureText(words).width;
}

/** An SVG document as a file. */
export function svgFile(image: SVGSVGElement, name: string): File {
  return new File([markup(image)], `${name}.svg`, { type: 'image/svg+xml' });
}

const markup = (image: SVGSVGElement): string => new XMLSerializer().serializeToString(image);

/** An SVG document as a PNG of twice its size. @throws LabError 'not-available' if the browser cannot draw it */
export async function pngFile(image: SVGSVGElement, name: string): Promise<File> {
  const drawn = new Image();
  // The page's policy lets images come from data: addresses, and from no blob.
  drawn.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(markup(image))}`;
  await drawn.decode();
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(Number(image.getAttribute('width')) * scale);
  canvas.height = Math.round(Number(image.getAttribute('height')) * scale);
  canvas.getContext('2d')?.drawImage(drawn, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((resolve) => void canvas.toBlob(resolve, 'image/png'));
  if (!blob) {
    const remedy = 'Download the chart as SVG, or make the window smaller.';
    throw new LabError(
      'not-available',
      `The browser made no image of ${canvas.width} × ${canvas.height} pixels.`,
      remedy,
    );
  }
  return new File([blob], `${name}.png`, { type: 'image/png' });
}
