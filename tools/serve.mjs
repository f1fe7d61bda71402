/**
 * @file A static server for the built page: cross-origin isolated, with byte ranges, nothing else.
 * `node tools/serve.mjs [folder] [--port 4173] [--strict]`
 */
import { createReadStream, existsSync, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Without these three the page is not cross-origin isolated and wasm threads are off. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** For a folder of model files that a page of another origin may read. */
export const shareable = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Content-Length, Content-Range, Accept-Ranges, ETag',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

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

/** The file that a request path means, or null when there is none inside `root` (links that lead out included). */
export function locate(root, url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, 'http://localhost').pathname);
  } catch {
    return null;
  }
  if (path.includes('\0')) return null;
  const wanted = resolve(root, `.${path}`);
  for (const candidate of [wanted, join(wanted, 'index.html')]) {
    if (!existsSync(candidate) || !statSync(candidate).isFile()) continue;
    const real = realpathSync(candidate);
    return real.startsWith(realpathSync(root) + sep) ? real : null;
  }
  return null;
}

function answer(request, response, root, headers) {
  const fail = (status, text) => {
    response.writeHead(status, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(`${text}\n`);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') return fail(405, 'Only GET and HEAD.');
  const path = locate(root, request.url);
  if (path === null) return fail(404, 'Not found.');
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
 * Serves a folder until closed. A taken port moves on to the next one, unless `strict`; port 0 takes any free one.
 * @param {{ root: string, port?: number, host?: string, strict?: boolean, headers?: Record<string, string> }} options
 * @returns {Promise<{ url: string, port: number, close: () => Promise<void> }>} `url` ends with a slash
 */
export async function serve({ root, port = 4173, host = '127.0.0.1', strict = false, headers = isolation }) {
  const server = createServer((request, response) => answer(request, response, root, headers));
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
    options: { port: { type: 'string', default: '4173' }, strict: { type: 'boolean', default: false } },
  });
  const root = resolve(positionals[0] ?? fileURLToPath(new URL('../dist', import.meta.url)));
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`--port: expected 0 to 65535, got ${values.port}.`);
  if (!existsSync(join(root, 'index.html')))
    throw new Error(`${root} has no index.html. Build it first: npm run build`);
  const { url } = await serve({ root, port, strict: values.strict });
  console.log(`Secateur is at ${url}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
