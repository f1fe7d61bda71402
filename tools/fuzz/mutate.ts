/**
 * @file Seeded mutations of files: of bytes (flips, cuts, repeats), of JSON values (numbers become huge, negative or text,
 * parts go, change places or nest) and of JSON's text. One test file per kind of file lies beside this one.
 *
 * A test takes `fuzzCount` mutations, each from a seed of its own, so that one that fails can be made again alone.
 */
import { createRandom, type Random, randomInt } from '../../src/numerics/random';

/** Mutations of each kind: 1,000 in `npm test`, as many as asked for by `npm run fuzz -- 10000`. */
export const fuzzCount = wholeNumber('SECATEUR_FUZZ', 1000);
/** The first seed; another one gives other mutations. */
export const fuzzSeed = wholeNumber('SECATEUR_FUZZ_SEED', 1);
/** For vitest: a test of `fuzzCount` mutations may take this long before it is given up, in ms. */
export const fuzzTimeout = 120_000 + fuzzCount * 60;

function wholeNumber(variable: string, otherwise: number): number {
  const value = Number(process.env[variable] ?? otherwise);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`${variable}: expected a whole number, got '${process.env[variable]}'.`);
}

/** Calls `check` with a random source per mutation. What it throws names the seed. */
export async function forEachMutation(
  check: (random: Random, seed: number) => unknown,
  count: number = fuzzCount,
): Promise<void> {
  let slowest = { seed: fuzzSeed, milliseconds: 0 };
  for (let seed = fuzzSeed; seed < fuzzSeed + count; seed += 1) {
    const begun = performance.now();
    try {
      await check(createRandom(seed), seed);
    } catch (cause) {
      const what = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      throw new Error(`Mutation of seed ${seed} (SECATEUR_FUZZ_SEED=${seed} SECATEUR_FUZZ=1): ${what}`, { cause });
    }
    const milliseconds = performance.now() - begun;
    if (milliseconds > slowest.milliseconds) slowest = { seed, milliseconds };
  }
  // A hang ends the test by its timeout; what is merely slow is shown, since machines differ.
  if (process.env['SECATEUR_FUZZ'])
    console.log(`slowest: seed ${slowest.seed}, ${Math.round(slowest.milliseconds)} ms`);
}

/** One of several. */
export function pick<T>(random: Random, choices: readonly T[]): T {
  const choice = choices[randomInt(random, choices.length)];
  if (choice === undefined && choices.length === 0) throw new Error('pick: expected choices, got none.');
  return choice as T;
}

/** Bytes that parsers trip over: ends of ranges, signs, lengths. */
const edgeBytes = [0, 1, 0x7f, 0x80, 0xff];

/** A copy with one to eight changes; in one of ten a cut. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let made = new Uint8Array(bytes);
  const changes = 1 + randomInt(random, 8);
  for (let change = 0; change < changes; change += 1) made = changedBytes(random, made);
  return made;
}

function changedBytes(random: Random, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = randomInt(random, Math.max(1, bytes.length));
  const length = 1 + randomInt(random, 16);
  switch (randomInt(random, 10)) {
    case 0:
      return bytes.slice(0, at);
    case 1: // a part goes
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 2: // a part comes twice
      return joined(bytes.subarray(0, at + length), bytes.subarray(at));
    case 3: // bytes come in
      return joined(
        bytes.subarray(0, at),
        Uint8Array.from({ length }, () => randomInt(random, 256)),
        bytes.subarray(at),
      );
    case 4:
    case 5:
      if (at < bytes.length) bytes[at] = pick(random, edgeBytes);
      return bytes;
    case 6: // four bytes of a length or an offset
      for (let byte = at; byte < Math.min(at + 4, bytes.length); byte += 1) bytes[byte] = pick(random, edgeBytes);
      return bytes;
    default:
      if (at < bytes.length) bytes[at]! ^= 1 << randomInt(random, 8);
      return bytes;
  }
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Values that readers of JSON trip over. */
const oddValues: readonly (() => unknown)[] = [
  () => null,
  () => true,
  () => false,
  () => 0,
  () => -1,
  () => 0.5,
  () => 1e308,
  () => -1e308,
  () => 2 ** 31,
  () => 2 ** 32,
  () => 2 ** 53,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => '',
  () => 'x',
  () => '0',
  () => '\u{1F600}',
  () => 'constructor',
  () => '__proto__',
  () => 'x'.repeat(5000),
  () => [],
  () => ({}),
  () => [[]],
  () => ({ constructor: 1 }),
  () => JSON.parse('{"__proto__": {"polluted": true}}'),
  () => nested(200),
];

function nested(depth: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { value };
  return value;
}

type Container = Record<string, unknown> | unknown[];

/**
 * A copy of a JSON value with one to three of its parts changed. A part is drawn by walking down from the root, so that
 * the few numbers of a header are met as often as the many of a list.
 */
export function mutateJson(random: Random, value: unknown): unknown {
  const root: { value: unknown } = { value: structuredClone(value) };
  const changes = 1 + randomInt(random, 3);
  for (let change = 0; change < changes; change += 1) changeJson(random, root);
  return root.value;
}

function changeJson(random: Random, root: Record<string, unknown>): void {
  let container: Container = root;
  let key: string | number = 'value';
  for (;;) {
    const inner: unknown = (container as Record<string | number, unknown>)[key];
    const keys = keysOf(inner);
    // Deeper with three of four, as long as there is a way.
    if (keys.length === 0 || randomInt(random, 4) === 0) break;
    container = inner as Container;
    key = pick(random, keys);
  }
  changeEntry(random, container as Record<string | number, unknown>, key);
}

function changeEntry(random: Random, container: Record<string | number, unknown>, key: string | number): void {
  const value = container[key];
  const put = (changed: unknown): void => {
    Object.defineProperty(container, key, { value: changed, writable: true, enumerable: true, configurable: true });
  };
  switch (randomInt(random, 7)) {
    case 0: // it goes
      if (Array.isArray(container)) container.splice(Number(key), 1);
      else if (key !== 'value') delete container[key];
      return;
    case 1: // it takes another's place
      put(structuredClone(container[pick(random, keysOf(container))]));
      return;
    case 2:
      put(randomInt(random, 2) === 0 ? [value] : { value });
      return;
    case 3:
      put(altered(random, value));
      return;
    case 4:
      put(altered(random, value));
      return;
    case 5: // twice, or under another name
      if (Array.isArray(container)) container.push(structuredClone(value));
      else if (key !== 'value') container[`${key}${pick(random, ['', '_', 's'])}`] = structuredClone(value);
      return;
    default:
      put(pick(random, oddValues)());
      return;
  }
}

/** The same kind of value with another content. */
function altered(random: Random, value: unknown): unknown {
  if (typeof value === 'number') {
    return pick(random, [-value, value + 1, value - 1, value * 1000, value / 3, 0, String(value), 2 ** 31 - 1, -0]);
  }
  if (typeof value === 'string') {
    const at = randomInt(random, value.length + 1);
    return pick(random, [value.slice(0, at), value + value, value.toUpperCase(), ` ${value}`, [...value]]);
  }
  if (typeof value === 'boolean') return pick(random, [!value, Number(value), String(value)]);
  if (Array.isArray(value)) return pick(random, [[], value.toReversed(), value.slice(1), [...value, ...value]]);
  return pick(random, oddValues)();
}

function keysOf(value: unknown): (string | number)[] {
  if (Array.isArray(value)) return value.map((_, index) => index);
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

/** JSON's text as Python would write it: numbers that are not finite by their names. */
export function pythonJson(value: unknown): string {
  const marked = JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'number' && !Number.isFinite(each) ? `\u0000${each}` : each,
  );
  return (marked ?? 'null').replace(/"\\u0000(NaN|-?Infinity)"/g, '$1');
}

/** A text with one to four changes of characters, cuts included. */
export function mutateText(random: Random, text: string): string {
  const bytes = mutateBytes(random, new TextEncoder().encode(text));
  return new TextDecoder().decode(bytes);
}
