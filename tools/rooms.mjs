/**
 * @file Draws the rooms of src/ from their imports as a Mermaid diagram.
 *
 * Usage: node tools/rooms.mjs          prints the diagram
 *        node tools/rooms.mjs --write  writes it into docs/rooms.md
 *
 * An arrow points from a room to a room whose files it imports. Arrows that follow from
 * others (a → c, where a → b → c exist) are left out, unless `--all` asks for them.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../src/', import.meta.url));
const document = fileURLToPath(new URL('../docs/rooms.md', import.meta.url));

/** Folders that show layers of their own. */
const split = new Set(['engine', 'lab', 'shards']);

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /\.tsx?$/.test(entry.name) && !/\.test\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

/** 'model', 'engine/gpu', …; null for the files that stand beside the rooms. */
function roomOf(path) {
  const parts = relative(root, path).split(sep);
  if (parts.length < 2) return null;
  const [room, folder] = parts;
  return split.has(room) && parts.length > 2 ? `${room}/${folder}` : room;
}

/** Pairs { from, to } of rooms, of which the first imports from the second, in alphabetical order. */
export function roomImports() {
  const pairs = new Set();
  for (const file of sourceFiles(root)) {
    const from = roomOf(file);
    if (from === null || from.endsWith('/testing')) continue;
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const path = resolve(dirname(file), target);
      const found = [path, `${path}.ts`, `${path}.tsx`].find((each) => /\.tsx?$/.test(each) && existsSync(each));
      const to = found === undefined ? null : roomOf(found);
      if (to === null || to === from || to.endsWith('/testing')) continue;
      pairs.add(`${from} ${to}`);
    }
  }
  return [...pairs].sort().map((pair) => ({ from: pair.split(' ')[0], to: pair.split(' ')[1] }));
}

/** The edges that no longer path replaces. */
export function reduced(edges) {
  const next = new Map();
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to]);
  const reaches = (from, to, skipped, seen = new Set()) =>
    (next.get(from) ?? []).some((each) => {
      if ((skipped && each === to) || seen.has(each)) return false;
      seen.add(each);
      return each === to || reaches(each, to, false, seen);
    });
  return edges.filter(({ from, to }) => !reaches(from, to, true));
}

export function diagram(edges) {
  const id = (room) => room.replaceAll('/', '_');
  const rooms = [...new Set(edges.flatMap(({ from, to }) => [from, to]))].sort();
  const nodes = rooms.map((room) => `  ${id(room)}["${room}"]`);
  const arrows = edges.map(({ from, to }) => `  ${id(from)} --> ${id(to)}`);
  return ['flowchart TD', ...nodes, ...arrows].join('\n');
}

/** The text of docs/rooms.md. */
export function roomsDocument() {
  return `# The rooms, drawn from their imports

\`node tools/rooms.mjs --write\` draws this page; a test fails when it no longer fits the code. An arrow points from a room to a
room that it imports from. Arrows that follow from others are left out.

\`\`\`mermaid
${diagram(reduced(roomImports()))}
\`\`\`
`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--write')) writeFileSync(document, roomsDocument());
  else process.stdout.write(`${diagram(process.argv.includes('--all') ? roomImports() : reduced(roomImports()))}\n`);
}
