/**
 * @file Takes files from one page into a folder of this disk: only from pages of one origin, only at an address that cannot be guessed,
 * only below the folder. Bytes are written as they come, so that no file is ever whole in memory.
 */
import { randomBytes } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The file that a request means; null for one that lies outside the folder, or that cannot be read. */
export function target(folder, secret, url) {
  const prefix = `/${secret}/`;
  if (!url.startsWith(prefix)) return null;
  try {
    const path = decodeURIComponent(url.slice(prefix.length));
    const home = resolve(folder);
    const file = resolve(home, path);
    return path === '' || path.includes('\0') || !file.startsWith(home + sep) ? null : file;
  } catch {
    return null;
  }
}

/** @returns {Promise<{ url: string, close: () => Promise<void> }>} `url` ends with a slash: PUT a file behind it */
export async function receiveFiles(folder, origin) {
  const secret = randomBytes(16).toString('hex');
  const server = createServer(async (request, response) => {
    const end = (status) => response.writeHead(status).end();
    if (request.headers.origin !== origin) return end(403);
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Methods', 'PUT');
    response.setHeader('Access-Control-Allow-Headers', 'Content-Type'); // files that have a type are sent with it
    if (request.method === 'OPTIONS') return end(204);
    const file = request.method === 'PUT' ? target(folder, secret, request.url ?? '') : null;
    if (file === null) return end(404);
    try {
      mkdirSync(dirname(file), { recursive: true });
      await pipeline(request, createWriteStream(file));
      end(201);
    } catch (error) {
      response.writeHead(507).end(error.message);
    }
  });
  await new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', done);
  });
  const close = () =>
    new Promise((done) => {
      server.close(() => done());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${server.address().port}/${secret}/`, close };
}
