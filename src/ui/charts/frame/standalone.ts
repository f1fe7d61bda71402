/**
 * @file Copies SVG elements so that they look the same outside the page: styles of classes become attributes, and colours of
 * the theme become plain ones.
 */

/** Properties that shapes and text take from the page's styles; each is also an attribute of SVG. */
const properties = [
  ...['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-dasharray', 'stroke-linejoin'],
  ...['stroke-linecap', 'opacity', 'paint-order', 'font-family', 'font-size', 'font-weight', 'font-style'],
  ...['text-anchor', 'dominant-baseline'],
] as const;
const fontProperties = /^(font|text|dominant)/;
/** What SVG assumes where nothing is said. */
const initial: Readonly<Record<string, string>> = {
  'fill-opacity': '1',
  'stroke-opacity': '1',
  'stroke-dasharray': 'none',
  'stroke-linejoin': 'miter',
  'stroke-linecap': 'butt',
  opacity: '1',
  'paint-order': 'normal',
  'font-style': 'normal',
  'dominant-baseline': 'auto',
  'text-anchor': 'start',
};

const drawn = new Set(['path', 'rect', 'circle', 'line', 'text', 'tspan', 'polygon', 'polyline', 'ellipse']);
/** Parts of a chart that follow the pointer, and what only screen readers need. */
const passing = '.recharts-tooltip-cursor, .recharts-active-dot, .screen-only, title, desc';

/** A colour as every program reads it: '#rrggbb', or 'rgba(…)' where it is see-through; other values as they are. */
export function plainColour(value: string): string {
  if (value === 'none' || value.startsWith('url(')) return value.replaceAll('"', '');
  const rgb = /^rgb\((\d+), (\d+), (\d+)\)$/.exec(value);
  if (rgb)
    return `#${rgb
      .slice(1)
      .map((part) => Number(part).toString(16).padStart(2, '0'))
      .join('')}`;
  if (value.startsWith('rgba(')) return value;
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  if (!context) return value;
  context.fillStyle = value; // color-mix() and oklab() are computed to forms that few programs read
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
  return `rgba(${red}, ${green}, ${blue}, ${Number((alpha! / 255).toFixed(3))})`;
}

/** A copy of an SVG element with its looks in attributes, without classes, styles and roles. */
export function standalone(original: SVGElement): SVGElement {
  const copy = original.cloneNode(true) as SVGElement;
  const originals = [original, ...original.querySelectorAll<SVGElement>('*')];
  const copies = [copy, ...copy.querySelectorAll<SVGElement>('*')];
  originals.forEach((element, index) => void dress(copies[index]!, element));
  for (const element of copy.querySelectorAll(passing)) element.remove();
  return copy;
}

function dress(copy: SVGElement, original: SVGElement): void {
  const style = getComputedStyle(original);
  const isText = original.tagName === 'text' || original.tagName === 'tspan';
  for (const name of copy.getAttributeNames()) {
    if (/^(class|style|role|tabindex|aria-|data-|focusable|cursor)/.test(name)) copy.removeAttribute(name);
  }
  if (original.classList.contains('image-only')) copy.removeAttribute('visibility');
  else if (style.display === 'none' || style.visibility === 'hidden') copy.setAttribute('display', 'none');
  if (!drawn.has(original.tagName)) return;
  for (const property of properties) {
    if (!isText && fontProperties.test(property)) continue;
    const value = style.getPropertyValue(property);
    if (value === '' || value === initial[property]) copy.removeAttribute(property);
    else copy.setAttribute(property, property === 'fill' || property === 'stroke' ? plainColour(value) : value);
  }
}
