/** @file Imports follow one direction: rooms import to their left, the page never imports the worker, and no files form a circle. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const rooms = [
  'io',
  'numerics',
  'model',
  'shards',
  'text',
  'tasks',
  'weights',
  'engine',
  'importance',
  'pruning',
  'repair',
  'retrain',
  'onnx',
  'benchmark',
  'report',
  'export',
  'site',
  'lab',
  'ui',
];
/** Folders of one room that show its layers, from left to right; files beside them use them all. */
const layers: Readonly<Record<string, readonly string[]>> = {
  engine: ['gpu', 'kernels', 'weights', 'pass', 'measure', 'train', 'tuning'],
  shards: ['formats', 'store', 'sources', 'download'],
};
const root = dirname(fileURLToPath(import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly line: number;
  readonly text: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** Path from `src`, with slashes on every system. */
const short = (path: string): string => relative(root, path).split(sep).join('/');

/** The source file that an import names; null for styles, shaders, data and workers by URL. */
function resolveImport(from: string, target: string): string | null {
  const path = resolve(dirname(from), target);
  const found = [path, `${path}.ts`, `${path}.tsx`].find((file) => /\.tsx?$/.test(file) && existsSync(file));
  return found === undefined ? null : short(found);
}

/** Every relative import of a file, static or dynamic, of values or of types only. */
function importsOf(file: string): Import[] {
  const code = readFileSync(file, 'utf8');
  return [...code.matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)].flatMap((match) => {
    const to = resolveImport(file, match[1] ?? '');
    const line = code.slice(0, match.index).split('\n').length;
    return to === null ? [] : [{ from: short(file), to, line, text: match[0] }];
  });
}

const files = sourceFiles(root);
const imports = files.flatMap(importsOf);
const where = ({ from, to, line }: Import): string => `${from}:${line} imports ${to}`;

/** Room of a path, or null for the files that stand beside the rooms (errors.ts, task.ts, main.tsx). */
function roomOf(path: string): string | null {
  const [first, ...rest] = path.split('/');
  return rest.length > 0 ? (first ?? null) : null;
}

/** The files of one circle of imports, the first one repeated at the end; null where there is none. */
function findCircle(edges: readonly Pick<Import, 'from' | 'to'>[]): string[] | null {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (finished.has(file)) return null;
    for (const to of next.get(file) ?? []) {
      const circle = visit(to, [...path, file]);
      if (circle) return circle;
    }
    finished.add(file);
    return null;
  };
  for (const file of next.keys()) {
    const circle = visit(file, []);
    if (circle) return circle;
  }
  return null;
}

test('a room imports only from rooms to its left', () => {
  const unknown = files.map(short).filter((file) => roomOf(file) !== null && !rooms.includes(roomOf(file) ?? ''));
  expect(unknown, 'files outside every room').toEqual([]);
  const between = imports.filter(({ from, to }) => roomOf(from) !== null && roomOf(to) !== null);
  expect(between.length).toBeGreaterThan(0);
  const rank = (path: string): number => rooms.indexOf(roomOf(path) ?? '');
  expect(between.filter(({ from, to }) => rank(to) > rank(from)).map(where)).toEqual([]);
});

test('a folder of a room imports only from folders to its left', () => {
  for (const [room, folders] of Object.entries(layers)) {
    const rank = (path: string): number => folders.indexOf(path.split('/')[1] ?? '');
    const inside = imports.filter(({ from, to }) =>
      [from, to].every((path) => roomOf(path) === room && rank(path) >= 0),
    );
    expect(inside.length).toBeGreaterThan(0);
    // Tests may build what they test with the room's own surface.
    const offences = inside.filter(({ from, to }) => !from.includes('.test.') && rank(to) > rank(from));
    expect(offences.map(where)).toEqual([]);
  }
});

test('docs/rooms.md is the diagram of these imports', async () => {
  const { roomsDocument } = (await import('../tools/rooms.mjs')) as { roomsDocument: () => string };
  const written = readFileSync(join(root, '../docs/rooms.md'), 'utf8');
  expect(written, 'draw it again: node tools/rooms.mjs --write').toBe(roomsDocument());
});

test('the page imports nothing of the worker, the contract nothing of either', () => {
  const isPage = (path: string): boolean =>
    path.startsWith('lab/page/') || roomOf(path) === 'ui' || path === 'main.tsx';
  const isWorker = (path: string): boolean => path.startsWith('lab/worker/');
  expect(imports.filter(({ from }) => isPage(from)).length).toBeGreaterThan(0);
  expect(imports.filter(({ from, to }) => isPage(from) && isWorker(to)).map(where)).toEqual([]);
  expect(imports.filter(({ from, to }) => isWorker(from) && isPage(to)).map(where)).toEqual([]);
  const ofContract = imports.filter(({ from }) => from.startsWith('lab/contract/'));
  expect(ofContract.filter(({ to }) => isPage(to) || isWorker(to)).map(where)).toEqual([]);
});

test('no files form a circle of imports', () => {
  const edge = (from: string, to: string) => ({ from, to });
  expect(findCircle([edge('a', 'b'), edge('b', 'c'), edge('d', 'b'), edge('c', 'b')])).toEqual(['b', 'c', 'b']);
  expect(findCircle([edge('a', 'b'), edge('a', 'c'), edge('b', 'c')])).toBeNull();
  expect(findCircle(imports)).toBeNull();
});
