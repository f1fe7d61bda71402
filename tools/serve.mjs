/**
 * @file A static server for the built page: cross-origin isolated, under a content security policy, with byte ranges,
 * nothing else. `node tools/serve.mjs [folder] [--port 4173] [--strict] [--allow-host NAME]`
 */
import { createReadStream, existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { headerPolicy, pagePolicy } from './csp.mjs';

/** Without these three the page is not cross-origin isolated and wasm threads are off. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** What every answer says, refusals included. */
const strictness = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };

/** Headers of the page and of everything beside it: the workers' scripts need the policy as much as the page. */
export const pageHeaders = { ...isolation, 'Content-Security-Policy': headerPolicy };

/** Of an address with `?embed`, which other sites may show in a frame: there the page shows reports only. */
const embedHeaders = {
  ...isolation,
  'Cross-Origin-Resource-Policy': 'cross-origin',
  'Content-Security-Policy': pagePolicy,
};

/** The headers of an answer to a request for this path with its query. */
export function headersOf(url) {
  const query = url.split('#', 1)[0].split('?')[1] ?? '';
  return new URLSearchParams(query).has('embed') ? embedHeaders : pageHeaders;
}

const types = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** Media type by extension; weights and whatever is unknown are bytes. */
export function mediaType(path) {
  return types[extname(path).toLowerCase()] ?? 'application/octet-stream';
}

/**
 * One byte range of a `Range` header.
 * @returns {{ begin: number, end: number } | 'whole' | 'unsatisfiable'} `end` is inclusive
 */
export function byteRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return 'whole';
  const begin = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return begin > end || begin >= size ? 'unsatisfiable' : { begin, end };
}

/** Whether `path` lies within `folder`; both as realpath gives them. */
export function within(folder, path) {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** The path of a request, decoded; null for one that cannot be read, or that names hidden files. */
export function requestPath(url) {
  // Only a path is expected: an address with a host of its own is not for us.
  if (!url.startsWith('/') || url.startsWith('//')) return null;
  try {
    const path = decodeURIComponent(url.split(/[?#]/, 1)[0]);
    const hidden = path.split(/[/\\]/).some((part) => part.startsWith('.'));
    return hidden || path.includes('\0') ? null : path;
  } catch {
    return null;
  }
}

/** The file that a request path means, or null when there is none inside `root` (links that lead out included). */
export function locate(root, url) {
  const path = requestPath(url);
  if (path === null) return null;
  const folder = realpathSync(root);
  const wanted = resolve(folder, `.${path}`);
  for (const candidate of [wanted, join(wanted, 'index.html')]) {
    // What lies outside is not even looked at.
    if (!within(folder, candidate) && candidate !== join(folder, 'index.html')) continue;
    if (!existsSync(candidate) || !statSync(candidate).isFile()) continue;
    const real = realpathSync(candidate);
    return within(folder, real) ? real : null;
  }
  return null;
}

/** Names of this machine that no other name server answers for. */
const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Whether a request is meant for this server. A name of somebody else's that was made to point here (DNS rebinding) would
 * let that site's pages read the answers. A tunnel may bring another port.
 */
export function meantForUs(host, allowed = []) {
  const name = (host ?? '').toLowerCase().replace(/:\d+$/, '');
  return loopback.has(name) || allowed.includes(name);
}

/**
 * Answers one request.
 * @param {{ find: (url: string) => string | null, headersFor: (request: object) => Record<string, string>, hosts: string[] }} site
 */
function answer(request, response, { find, headersFor, hosts }) {
  const headers = { ...strictness, ...headersFor(request) };
  const fail = (status, text, more = {}) => {
    response.writeHead(status, { ...headers, ...more, 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(request.method === 'HEAD' ? undefined : `${text}\n`);
  };
  if (!meantForUs(request.headers.host, hosts)) {
    return fail(421, 'This server answers to localhost and 127.0.0.1 only. Others: --allow-host NAME.');
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return fail(405, 'Only GET and HEAD.', { Allow: 'GET, HEAD' });
  }
  const path = find(request.url ?? '/');
  if (path === null) {
    // It hands on links whose # a mail program has changed.
    const lost = find('/404.html');
    if (lost === null) return fail(404, 'Not found.');
    response.writeHead(404, { ...headers, 'Content-Type': mediaType(lost) });
    return response.end(request.method === 'HEAD' ? undefined : readFileSync(lost));
  }
  const { size, mtime, mtimeMs } = statSync(path);
  const tag = `"${size.toString(16)}-${mtimeMs.toString(16)}"`;
  const common = {
    ...headers,
    'Content-Type': mediaType(path),
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'no-cache',
    'Last-Modified': mtime.toUTCString(),
    ETag: tag,
  };
  // A part of another version of the file is no part of this one.
  const joined = request.headers['if-range'] ?? tag;
  const range = joined === tag ? byteRange(request.headers.range, size) : 'whole';
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...common, 'Content-Range': `bytes */${size}` });
    return response.end();
  }
  const { begin, end } = range === 'whole' ? { begin: 0, end: size - 1 } : range;
  response.writeHead(range === 'whole' ? 200 : 206, {
    ...common,
    'Content-Length': end - begin + 1,
    ...(range === 'whole' ? {} : { 'Content-Range': `bytes ${begin}-${end}/${size}` }),
  });
  if (request.method === 'HEAD' || size === 0) return response.end();
  createReadStream(path, { start: begin, end })
    .on('error', () => response.destroy())
    .pipe(response);
}

function listen(server, port, host) {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      done(server.address().port);
    });
  });
}

/**
 * Serves until closed. A taken port moves on to the next one, unless `strict`; port 0 takes any free one.
 * @param {{
 *   root?: string,
 *   port?: number,
 *   host?: string,
 *   strict?: boolean,
 *   hosts?: string[],
 *   find?: (url: string) => string | null,
 *   headersFor?: (request: { url?: string, headers: Record<string, string | undefined> }) => Record<string, string>,
 * }} options `root`: the folder of a page; or `find` and `headersFor`: which file a request means, and what is said with it.
 *   `hosts`: names besides this machine's own under which requests may come
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>} `url` ends with a slash
 */
export async function serve({
  root = '.',
  port = 4173,
  host = '127.0.0.1',
  strict = false,
  hosts = [],
  find = (url) => locate(root, url),
  headersFor = ({ url }) => headersOf(url ?? '/'),
}) {
  const server = createServer((request, response) => {
    try {
      answer(request, response, { find, headersFor, hosts });
    } catch {
      response.destroy(); // the file went away between two looks at it
    }
  });
  for (let attempt = port; ; attempt += 1) {
    try {
      const taken = await listen(server, attempt, host);
      const close = () =>
        new Promise((done) => {
          server.close(() => done());
          server.closeAllConnections();
        });
      return { url: `http://${host}:${taken}/`, port: taken, close };
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || strict || attempt >= port + 100) throw error;
    }
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: 'string', default: '4173' },
      strict: { type: 'boolean', default: false },
      'allow-host': { type: 'string', multiple: true, default: [] },
    },
  });
  const root = resolve(positionals[0] ?? fileURLToPath(new URL('../dist', import.meta.url)));
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port: expected 0 to 65535, got ${values.port}.`);
  if (!existsSync(join(root, 'index.html')))
    throw new Error(`${root} has no index.html. Build it first: npm run build`);
  const hosts = values['allow-host'].map((name) => name.toLowerCase());
  const { url } = await serve({ root, port, strict: values.strict, hosts });
  console.log(`Secateur is at ${url}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
