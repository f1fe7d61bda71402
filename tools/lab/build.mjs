/** @file Builds the page when dist/ is missing or older than what it is made from. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const sources = [
  'src',
  'shaders',
  'public',
  'index.html',
  'vite.config.ts',
  'tools/csp.mjs',
  'tools/site.mjs',
  'package.json',
];

/** Latest modification below a path, ms since 1970; 0 when it does not exist. */
export function newest(path) {
  if (!existsSync(path)) return 0;
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), mtimeMs);
}

/** Runs `vite build` in `root` if it is due; its output goes to stderr. */
export function ensureBuilt(root, say) {
  const built = join(root, 'dist', 'index.html');
  if (existsSync(built) && statSync(built).mtimeMs >= Math.max(...sources.map((path) => newest(join(root, path)))))
    return;
  say('Building the page…');
  const vite = join(root, 'node_modules', '.bin', 'vite');
  const { status, stderr } = spawnSync(vite, ['build', '--logLevel', 'warn'], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`vite build failed.\n${stderr}`);
}
