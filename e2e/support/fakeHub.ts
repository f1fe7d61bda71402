/**
 * @file A stand-in for the Hugging Face Hub: its API and /resolve/ on one origin, the files behind signed addresses that
 * expire on another; it counts bytes, and misbehaves when asked to.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { byteRange } from '../../tools/serve.mjs';
import { type Folder, shareable } from './folderServer';

/** What happens to the next `times` requests (always, without `times`) for a file's bytes; of large ones, without `file`. */
export type HubFault = { times?: number; file?: string } & (
  | { kind: 'status'; status: number; retryAfter?: string } // the Hub refuses
  | { kind: 'expired' } // the signed address is too old when it is used
  | { kind: 'cut'; bytes: number } // so many bytes, then the connection drops
  | { kind: 'slow'; bytesPerSecond: number }
  | { kind: 'silent'; bytes: number } // so many bytes, then nothing more, and the connection stays
  | { kind: 'wrong'; at: number } // the byte at this offset of the file is another one
  | { kind: 'whole' } // Range is ignored: 200
  | { kind: 'unranged' } // a request with Range gets no answer, as where CORS forbids the header
);

export interface HubModel {
  folder: Folder;
  /** Branch that it lies on; 'main' unless told. */
  branch?: string;
  /** Token that opens it; null for everyone. */
  token?: string | null;
  licence?: string;
  /** Its weights lie in git itself: they have a git id and no SHA-256. */
  plainGit?: boolean;
}

export class FakeHub {
  /** 'api', 'resolve' or 'cdn', then repo and file, of every request but preflights. */
  readonly requests: string[] = [];
  /** URLs that were asked for, both origins. */
  readonly urls: string[] = [];
  /** Bytes of bodies that were handed to the network, by file. */
  readonly sent = new Map<string, number>();
  /** Authorization headers that reached the second origin: there should be none. */
  readonly leaked: string[] = [];
  readonly #models = new Map<string, HubModel & { sha: string }>();
  readonly #tickets = new Map<string, { repo: string; file: string; used: boolean }>();
  #faults: HubFault[] = [];
  #nextTicket = 1;
  readonly #hub: Server;
  readonly #cdn: Server;

  private constructor() {
    const guard = (answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>) =>
      createServer((request, response) => {
        answer.call(this, request, response).catch(() => response.destroy());
      });
    this.#hub = guard(this.#answerHub);
    this.#cdn = guard(this.#answerCdn);
  }

  static async start(): Promise<FakeHub> {
    const fake = new FakeHub();
    for (const server of [fake.#hub, fake.#cdn]) {
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    }
    return fake;
  }

  get url(): string {
    return address(this.#hub);
  }

  /** Publishes a model; returns its commit. */
  put(repo: string, model: HubModel): string {
    const hash = createHash('sha1');
    for (const [name, bytes] of model.folder) hash.update(name).update(bytes);
    const sha = hash.digest('hex');
    this.#models.set(repo, { ...model, sha });
    return sha;
  }

  /** Publishes a data set; returns its commit. Faults, requests and counts name its files by their whole path. */
  putDataset(repo: string, dataset: HubModel): string {
    return this.put(`datasets/${repo}`, dataset);
  }

  fault(...faults: HubFault[]): void {
    this.#faults = faults.map((fault) => ({ ...fault }));
  }

  /** Bytes sent so far of all files. */
  get sentBytes(): number {
    return [...this.sent.values()].reduce((a, b) => a + b, 0);
  }

  reset(): void {
    this.requests.length = 0;
    this.urls.length = 0;
    this.leaked.length = 0;
    this.sent.clear();
    this.#models.clear();
    this.#faults = [];
  }

  async stop(): Promise<void> {
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    }
  }

  #fault<K extends HubFault['kind']>(
    file: string,
    kinds: readonly K[],
    applies: (fault: HubFault) => boolean = () => true,
  ): Extract<HubFault, { kind: K }> | undefined {
    const found = this.#faults.find(
      (fault): fault is Extract<HubFault, { kind: K }> =>
        (kinds as readonly string[]).includes(fault.kind) &&
        applies(fault) &&
        (fault.file === undefined ? large(file) : fault.file === file) &&
        fault.times !== 0,
    );
    if (found?.times !== undefined) found.times -= 1;
    return found;
  }

  async #answerHub(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (preflight(request, response)) return;
    const url = new URL(request.url ?? '/', 'http://localhost');
    this.urls.push(url.href);
    const parts = url.pathname.slice(1).split('/').map(decodeURIComponent);
    const api = parts[0] === 'api';
    const dataset = parts[api ? 1 : 0] === 'datasets';
    const [owner, name, , revision, ...path] = parts.slice(api ? 2 : dataset ? 1 : 0);
    const file = path.join('/');
    const repo = `${dataset ? 'datasets/' : ''}${owner}/${name}`;
    this.requests.push(`${api ? 'api' : 'resolve'} ${repo} ${api ? revision : file}`);
    const model = this.#models.get(repo);
    // The Hub does not reveal to others which private names exist.
    if (!model) return refuse(response, 401, 'RepoNotFound');
    if (revision !== (model.branch ?? 'main') && revision !== model.sha)
      return refuse(response, 404, 'RevisionNotFound');
    if (api) {
      const siblings = [...model.folder].map(([rfilename, bytes]) => ({
        rfilename,
        size: bytes.length,
        ...(large(rfilename) && !model.plainGit
          ? { lfs: { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, pointerSize: 130 } }
          : { blobId: createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex') }),
      }));
      const cardData = model.licence === undefined ? undefined : { license: model.licence };
      const body = JSON.stringify({
        id: repo,
        sha: model.sha,
        gated: model.token ? 'auto' : false,
        cardData,
        siblings,
      });
      response.writeHead(200, { ...shareable, 'Content-Type': 'application/json' }).end(body);
      return;
    }
    const { authorization } = request.headers;
    if (model.token && authorization === undefined) return refuse(response, 401, 'GatedRepo');
    if (model.token && authorization !== `Bearer ${model.token}`) return refuse(response, 403, 'GatedRepo');
    const fault = this.#fault(file, ['status']);
    if (fault) return refuse(response, fault.status, 'Fault', fault.retryAfter);
    const bytes = model.folder.get(file);
    if (!bytes) return refuse(response, 404, 'EntryNotFound');
    if (!large(file)) {
      // Small files lie in git and are answered without a redirect.
      const body = bytes.slice();
      const wrong = this.#fault(file, ['wrong']);
      if (wrong) body[wrong.at]! ^= 1;
      response.writeHead(200, { ...shareable, 'Content-Length': body.length }).end(body);
      return;
    }
    const ticket = String(this.#nextTicket++);
    this.#tickets.set(ticket, { repo, file, used: false });
    const location = `${address(this.#cdn)}/${ticket}?Expires=1&Signature=x`;
    response.writeHead(302, { ...shareable, Location: location }).end();
  }

  async #answerCdn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (preflight(request, response)) return;
    const url = new URL(request.url ?? '/', 'http://localhost');
    this.urls.push(url.href);
    if (request.headers.authorization !== undefined) this.leaked.push(request.headers.authorization);
    const ticket = this.#tickets.get(url.pathname.slice(1));
    const whole = ticket && this.#models.get(ticket.repo)?.folder.get(ticket.file);
    if (!ticket || !whole) return refuse(response, 404, 'NoTicket');
    const { file } = ticket;
    this.requests.push(`cdn ${ticket.repo} ${file}`);
    // A signed address that is used a second time counts as expired.
    if (ticket.used || this.#fault(file, ['expired'])) return refuse(response, 403, 'Expired');
    ticket.used = true;
    if (request.headers.range !== undefined && this.#fault(file, ['unranged'])) return void response.destroy();
    const range = this.#fault(file, ['whole']) ? 'whole' : byteRange(request.headers.range, whole.length);
    if (range === 'unsatisfiable') return refuse(response, 416, 'Range');
    const begin = range === 'whole' ? 0 : range.begin;
    const body = range === 'whole' ? whole.slice() : whole.slice(range.begin, range.end + 1);
    const wrong = this.#fault(
      file,
      ['wrong'],
      (fault) => 'at' in fault && fault.at >= begin && fault.at < begin + body.length,
    );
    if (wrong) body[wrong.at - begin]! ^= 1;
    response.writeHead(range === 'whole' ? 200 : 206, {
      ...shareable,
      'Content-Length': body.length,
      ...(range === 'whole' ? {} : { 'Content-Range': `bytes ${begin}-${range.end}/${whole.length}` }),
    });
    await this.#send(response, file, body);
  }

  async #send(response: ServerResponse, file: string, body: Uint8Array): Promise<void> {
    const write = (bytes: Uint8Array): Promise<void> => {
      this.sent.set(file, (this.sent.get(file) ?? 0) + bytes.length);
      return new Promise((done) => response.write(bytes, () => done()));
    };
    const fault = this.#fault(file, ['cut', 'slow', 'silent']);
    if (fault?.kind === 'silent') return write(body.subarray(0, fault.bytes));
    if (fault?.kind === 'cut') {
      await write(body.subarray(0, fault.bytes));
      response.destroy();
      return;
    }
    if (fault?.kind === 'slow') {
      const step = Math.max(1, Math.round(fault.bytesPerSecond / 20));
      for (let at = 0; at < body.length && !response.destroyed; at += step) {
        await write(body.subarray(at, at + step));
        await pause(50);
      }
    } else await write(body);
    response.end();
  }
}

/** Large files lie behind a redirect. */
function large(file: string): boolean {
  return file.endsWith('.safetensors') || file.endsWith('.parquet');
}

function address(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function preflight(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'OPTIONS') return false;
  response.writeHead(204, { ...shareable, 'Access-Control-Allow-Headers': 'Authorization, Range' }).end();
  return true;
}

function refuse(response: ServerResponse, status: number, code: string, retryAfter?: string): void {
  response
    .writeHead(status, {
      ...shareable,
      'X-Error-Code': code,
      'Access-Control-Expose-Headers': 'X-Error-Code, Retry-After',
      ...(retryAfter === undefined ? {} : { 'Retry-After': retryAfter }),
    })
    .end();
}
