/** @file A stand-in for a host of model folders: files in memory, CORS, byte ranges, and faults that can be switched. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { byteRange, mediaType } from '../../tools/serve.mjs';

/** What a host of public models says: a page of any origin may read it. */
export const shareable = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'Content-Length, Content-Range, Accept-Ranges, ETag',
  'Cross-Origin-Resource-Policy': 'cross-origin',
};

/** Files of a folder by name. */
export type Folder = Map<string, Uint8Array>;

export type Fault =
  | { kind: 'status'; status: number } // answers with this status and no body
  | { kind: 'shorten'; bytes: number } // the file is shorter than it should be, and says so
  | { kind: 'cut'; bytes: number; times?: number } // promises the whole file, sends so many bytes, then drops the connection
  | { kind: 'slow'; bytesPerSecond: number }; // trickles

export class FolderServer {
  /** 'folder/file' of every request, in order. */
  readonly requests: string[] = [];
  /** Of these, those that were not only about a file's headers. */
  readonly gets: string[] = [];
  /** 'folder/file' of every answer that the client hung up on. */
  readonly dropped: string[] = [];
  readonly #folders = new Map<string, Folder>();
  readonly #faults = new Map<string, Fault>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FolderServer> {
    const server = createServer((request, response) => {
      started.#answer(request, response).catch(() => response.destroy());
    });
    const started = new FolderServer(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return started;
  }

  /** Publishes a folder; its address ends with a slash. */
  put(name: string, folder: Folder): string {
    this.#folders.set(name, folder);
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${name}/`;
  }

  /** Switches a fault for 'folder/file' on, or off with null. */
  fault(path: string, fault: Fault | null): void {
    if (fault === null) this.#faults.delete(path);
    else this.#faults.set(path, fault);
  }

  /** Forgets requests, faults and folders. */
  reset(): void {
    this.requests.length = 0;
    this.gets.length = 0;
    this.dropped.length = 0;
    this.#faults.clear();
    this.#folders.clear();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((done) => this.#server.close(() => done()));
  }

  /** A fault that happens so many times is over after the last one. */
  #once(path: string, fault: Fault | undefined): Fault | undefined {
    if (fault?.kind !== 'cut' || fault.times === undefined) return fault;
    this.fault(path, fault.times > 1 ? { ...fault, times: fault.times - 1 } : null);
    return fault;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname).slice(1);
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { ...shareable, 'Access-Control-Allow-Headers': '*' }).end();
      return;
    }
    this.requests.push(path);
    if (request.method === 'GET') this.gets.push(path);
    response.on('close', () => {
      if (!response.writableFinished) this.dropped.push(path);
    });
    const slash = path.indexOf('/');
    const whole = this.#folders.get(path.slice(0, slash))?.get(path.slice(slash + 1));
    const fault = this.#faults.get(path);
    if (fault?.kind === 'status' || whole === undefined) {
      response.writeHead(fault?.kind === 'status' ? fault.status : 404, shareable).end();
      return;
    }
    const file = fault?.kind === 'shorten' ? whole.subarray(0, fault.bytes) : whole;
    const tag = `"${createHash('sha1').update(whole).digest('hex')}"`;
    const joined = request.headers['if-range'] ?? tag;
    const range = joined === tag ? byteRange(request.headers.range, file.length) : 'whole';
    if (range === 'unsatisfiable') {
      response.writeHead(416, { ...shareable, 'Content-Range': `bytes */${file.length}` }).end();
      return;
    }
    const body = range === 'whole' ? file : file.subarray(range.begin, range.end + 1);
    response.writeHead(range === 'whole' ? 200 : 206, {
      ...shareable,
      'Content-Type': mediaType(path),
      'Accept-Ranges': 'bytes',
      ETag: tag,
      'Content-Length': body.length,
      ...(range === 'whole' ? {} : { 'Content-Range': `bytes ${range.begin}-${range.end}/${file.length}` }),
    });
    if (request.method === 'HEAD') response.end();
    else await send(response, body, this.#once(path, fault));
  }
}

async function send(response: ServerResponse, body: Uint8Array, fault: Fault | undefined): Promise<void> {
  if (fault?.kind === 'cut') {
    response.write(body.subarray(0, fault.bytes), () => response.destroy());
  } else if (fault?.kind === 'slow') {
    const step = Math.max(1, Math.round(fault.bytesPerSecond / 10));
    for (let at = 0; at < body.length && !response.destroyed; at += step) {
      response.write(body.subarray(at, at + step));
      await pause(100);
    }
    response.end();
  } else {
    response.end(body);
  }
}
