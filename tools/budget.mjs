/** @file How much script the built page loads before it can paint: entry, preloads, and what these import statically. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes of gzip that a first paint may cost. */
export const firstPaintBudget = 300 * 1000;

const attribute = (tag, name) => new RegExp(`\\b${name}\\s*=\\s*["']([^"']+)["']`).exec(tag)?.[1];

/** Scripts that an index.html names: modules, classic scripts and module preloads; relative paths. */
function named(html) {
  const scripts = (html.match(/<script\b[^>]*>/g) ?? []).map((tag) => attribute(tag, 'src'));
  const preloads = (html.match(/<link\b[^>]*>/g) ?? [])
    .filter((tag) => attribute(tag, 'rel') === 'modulepreload')
    .map((tag) => attribute(tag, 'href'));
  return [...scripts, ...preloads].filter((path) => path !== undefined && !/^[a-z]+:/.test(path));
}

/** Static imports of a built chunk: `from"./x.js"` and `import"./x.js"`, not `import("./x.js")`. */
function imported(code) {
  return [...code.matchAll(/(?:\bfrom|\bimport)\s*["'](\.{1,2}\/[^"']+)["']/g)].map((match) => match[1]);
}

/**
 * Scripts of the first paint with their gzip size in bytes, largest first.
 * @returns {{ file: string, bytes: number }[]}
 */
export function firstPaintScripts(dist) {
  const root = resolve(dist);
  const waiting = named(readFileSync(join(root, 'index.html'), 'utf8')).map((path) =>
    resolve(root, path.replace(/^\//, '')),
  );
  const sizes = new Map();
  while (waiting.length > 0) {
    const file = waiting.pop();
    if (sizes.has(file)) continue;
    const code = readFileSync(file, 'utf8');
    sizes.set(file, gzipSync(code, { level: 9 }).length);
    waiting.push(...imported(code).map((path) => resolve(dirname(file), path)));
  }
  return [...sizes].map(([file, bytes]) => ({ file: relative(root, file), bytes })).sort((a, b) => b.bytes - a.bytes);
}

/** Sum and budget as one line; throws when the budget is exceeded or when the page names no script. */
export function checkBudget(dist, budget = firstPaintBudget) {
  const scripts = firstPaintScripts(dist);
  if (scripts.length === 0) throw new Error(`${join(dist, 'index.html')} loads no script: was it built?`);
  const total = scripts.reduce((sum, { bytes }) => sum + bytes, 0);
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  const list = scripts.map(({ file, bytes }) => `  ${kilobytes(bytes).padStart(9)}  ${file}`).join('\n');
  const line = `First paint: ${kilobytes(total)} of script (gzip), budget ${kilobytes(budget)}\n${list}`;
  if (total > budget) throw new Error(`${line}\nMove what the first paint does not need behind a dynamic import.`);
  return line;
}
