/**
 * @file A model's folder on this disk, served to one page for as long as one run takes: only the files that a load asks
 * for, only at an address that cannot be guessed, only to pages of the given origin.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { requestPath, serve, within } from '../serve.mjs';

/** Files beside the weights: as src/shards/sources/modelFiles.ts names them. */
const small = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'tokenizer.model',
  'model.safetensors.index.json',
]);

/** As src/shards/formats/shardIndex.ts takes the paths of weights. */
const weights = /^([A-Za-z0-9_-][\w.-]*\/){0,4}[A-Za-z0-9_-][\w.-]*\.safetensors$/;

/** Whether a load may ask for a file of this name. */
export function belongsToModel(name) {
  return small.has(name) || weights.test(name);
}

/**
 * Folders whose files may be served: the model's own, and where its files are links into the store of Hugging Face's
 * tools (snapshots/COMMIT beside blobs/), that store.
 */
function homes(folder) {
  const real = realpathSync(folder);
  const blobs = join(dirname(dirname(real)), 'blobs');
  return basename(dirname(real)) === 'snapshots' && existsSync(blobs) ? [real, realpathSync(blobs)] : [real];
}

/** The served file that a request means; null for every other. `secret`: the first part of each path. */
export function findIn(folder, secret) {
  const allowed = homes(folder);
  return (url) => {
    const path = requestPath(url);
    const prefix = `/${secret}/`;
    if (path === null || !path.startsWith(prefix)) return null;
    const name = path.slice(prefix.length);
    if (!belongsToModel(name)) return null;
    const file = join(allowed[0], name);
    if (!existsSync(file)) return null;
    const real = realpathSync(file);
    return allowed.some((home) => within(home, real)) && statSync(real).isFile() ? real : null;
  };
}

/**
 * Serves `folder` to pages of `origin` until closed.
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function serveModel(folder, origin) {
  const secret = randomBytes(16).toString('hex');
  const shared = {
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Expose-Headers': 'Content-Length, Content-Range, Accept-Ranges, ETag',
    // The page requests the files with CORS; other pages cannot embed them.
    'Cross-Origin-Resource-Policy': 'same-origin',
    Vary: 'Origin',
  };
  const headersFor = ({ headers }) => (headers.origin === origin ? shared : { Vary: 'Origin' });
  const { url, close } = await serve({ port: 0, find: findIn(folder, secret), headersFor });
  return { url: `${url}${secret}/`, close };
}
