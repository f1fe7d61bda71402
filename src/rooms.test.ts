/** @file Imports follow one direction: a room imports only from rooms to its left. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const rooms = [
  'io',
  'numerics',
  'model',
  'shards',
  'text',
  'engine',
  'importance',
  'pruning',
  'retrain',
  'onnx',
  'benchmark',
  'report',
  'lab',
  'ui',
];
const root = dirname(fileURLToPath(import.meta.url));

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** Room of a path, or null for the files that stand beside the rooms (errors.ts, task.ts, main.tsx). */
function roomOf(path: string): string | null {
  const [first, ...rest] = relative(root, path).split(/[\\/]/);
  return rest.length > 0 ? (first ?? null) : null;
}

test('a room imports only from rooms to its left', () => {
  const offences: string[] = [];
  let imports = 0;
  for (const file of sourceFiles(root)) {
    const room = roomOf(file);
    if (room === null) continue;
    if (!rooms.includes(room)) offences.push(`${relative(root, file)}: '${room}' is not a room`);
    readFileSync(file, 'utf8')
      .split('\n')
      .forEach((line, index) => {
        const target = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/.exec(line)?.[1];
        if (target === undefined) return;
        const to = roomOf(resolve(dirname(file), target));
        if (to === null || !rooms.includes(to)) return;
        imports += 1;
        if (rooms.indexOf(to) > rooms.indexOf(room)) {
          offences.push(`${relative(root, file)}:${index + 1}: '${room}' must not import from '${to}': ${line.trim()}`);
        }
      });
  }
  expect(imports).toBeGreaterThan(0);
  expect(offences).toEqual([]);
});
