/** @file Formats numbers for the page: few digits, units after a no-break space. Pure. */

const nbsp = '\u00a0';
const minus = '\u2212';

/** By their number of decimals. A format is made once: making one takes far longer than its use, and the page writes many numbers. */
const formats = new Map<number, Intl.NumberFormat>();

function formatOf(digits: number): Intl.NumberFormat {
  let format = formats.get(digits);
  if (format === undefined) {
    format = new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(digits, format);
  }
  return format;
}

function fixed(value: number, digits: number): string {
  const text = formatOf(digits).format(Math.abs(value));
  const zero = Number(text.replaceAll(',', '')) === 0;
  return value < 0 && !zero ? `${minus}${text}` : text;
}

/** Whole numbers with thousands separators. */
export function integer(value: number): string {
  return fixed(Math.round(value), 0);
}

/** Three significant digits below 1000, whole numbers above; NaN and infinities as words and symbols. */
export function significant(value: number): string {
  if (Number.isNaN(value)) return 'not a number';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : `${minus}∞`;
  const size = Math.abs(value);
  if (size >= 1e6) return quantity(value);
  if (size >= 100 || size === 0) return fixed(value, 0);
  if (size >= 10) return fixed(value, 1);
  if (size >= 1) return fixed(value, 2);
  if (size >= 0.001) return fixed(value, 2 - Math.floor(Math.log10(size)));
  return value.toExponential(1).replace('-', minus);
}

/** An axis tick: round already, so it is written as it is. */
export function tick(value: number): string {
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-3)) return significant(value);
  return value.toLocaleString('en-US', { maximumFractionDigits: 6 }).replace('-', minus);
}

/** A count in thousands, millions or billions: 2,631,168 → '2.63 M'. */
export function quantity(value: number): string {
  const scales = [
    { from: 1e9, unit: 'B' },
    { from: 1e6, unit: 'M' },
    { from: 1e4, unit: 'k', divide: 1e3 },
  ];
  const size = Math.abs(value);
  // 999,950 and above would round to '1000 k': it belongs to the next unit.
  const scale = scales.find(({ from }) => size >= from * 0.9995);
  if (!scale) return integer(value);
  const scaled = value / (scale.divide ?? scale.from);
  return `${fixed(scaled, scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2)}${nbsp}${scale.unit}`;
}

/** Bytes in decimal units: 10,524,672 → '10.5 MB'. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return `${fixed(scaled, unit === 0 || scaled >= 99.95 ? 0 : 1)}${nbsp}${units[unit]}`;
}

/** Decimals of a perplexity: four digits in total, because runs on the same tokens differ in the third. */
function perplexityDecimals(value: number): number {
  return value < 9.9995 ? 3 : value < 99.995 ? 2 : value < 999.95 ? 1 : 0;
}

/** Four digits below 1000, whole above. */
export function perplexity(value: number): string {
  if (Number.isNaN(value)) return 'not a number';
  if (!Number.isFinite(value)) return '∞';
  if (value >= 1e6) return quantity(value);
  return fixed(value, perplexityDecimals(value));
}

/** `now` − `base` of two perplexities with its sign, in the decimals of the larger. */
export function perplexityChange(now: number, base: number): string {
  const change = now - base;
  if (Number.isNaN(change)) return 'not a number';
  const sign = change < 0 ? minus : '+';
  if (!Number.isFinite(change)) return `${sign}∞`;
  if (Math.abs(change) >= 1e6) return `${sign}${quantity(Math.abs(change))}`;
  const text = fixed(Math.abs(change), perplexityDecimals(Math.max(now, base)));
  return `${Number(text.replaceAll(',', '')) === 0 ? '±' : sign}${text}`;
}

/**
 * A formatter for scores that are compared with each other: enough decimals to distinguish a twentieth of the range,
 * and at least as many as `significant` gives.
 */
export function comparable([low, high]: readonly [number, number]): (value: number) => string {
  const range = high - low;
  const decimals = range > 0 ? Math.min(6, Math.ceil(-Math.log10(range / 20))) : 0;
  return (value) => {
    const plain = significant(value);
    const given = plain.split('.')[1]?.length ?? 0;
    // A score far outside the range needs no further decimals.
    const near = Math.abs(value) <= 2 * Math.max(Math.abs(low), Math.abs(high));
    return near && Number.isFinite(value) && /^[−\d.,]+$/.test(plain) && decimals > given
      ? fixed(value, decimals)
      : plain;
  };
}

/** Milliseconds, seconds from ten thousand on. */
export function milliseconds(value: number): string {
  if (value >= 9999.5) return `${fixed(value / 1000, 1)}${nbsp}s`;
  return `${fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)}${nbsp}ms`;
}

/** A time as the tick of an axis: without zeros behind its decimals ('10.0 ms' → '10 ms', '1.50 ms' → '1.5 ms'). */
export function millisecondsTick(value: number): string {
  return value === 0
    ? '0'
    : milliseconds(value)
        .replace(/(\.\d*?)0+(?=\D|$)/, '$1')
        .replace(/\.(?=\D|$)/, '');
}

/** A share 0…1 as a percentage: one decimal unless it is whole. */
export function percent(share: number): string {
  const value = Math.round(share * 1000) / 10;
  return `${fixed(value, Number.isInteger(value) ? 0 : 1)}%`;
}

/** Change of a share: 0.153 removed → '−15.3%'; nothing removed → '±0%'. */
export function removedShare(ratio: number): string {
  return ratio <= 0 ? '±0%' : `${minus}${percent(ratio)}`;
}

/** Ratio of two times: 1.204 → '1.20×'. */
export function times(ratio: number): string {
  return `${fixed(ratio, ratio >= 9.995 ? 1 : 2)}×`;
}

/** Tokens per second, without the unit. */
export function rate(value: number): string {
  return value >= 100 ? integer(value) : significant(value);
}

/** Tokens per second: 2940.4 → '2,940 tok/s'. */
export function tokensPerSecond(value: number): string {
  return `${rate(value)}${nbsp}tok/s`;
}

/** 1 → '1st', 22 → '22nd'. */
export function ordinal(value: number): string {
  const tens = value % 100;
  const ones = value % 10;
  if (tens >= 11 && tens <= 13) return `${value}th`;
  return `${value}${ones === 1 ? 'st' : ones === 2 ? 'nd' : ones === 3 ? 'rd' : 'th'}`;
}

/** '1 block', '3 blocks'. */
export function plural(count: number, noun: string): string {
  return `${integer(count)} ${noun}${count === 1 ? '' : 's'}`;
}
