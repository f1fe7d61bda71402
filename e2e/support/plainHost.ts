/** @file A static host as many are: one folder under a sub-path, 404.html for what is missing, no headers of its own, and files that can be replaced. */
import { createReadStream } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { locate, mediaType } from '../../tools/serve.mjs';

export class PlainHost {
  readonly #server: Server;
  readonly #replaced = new Map<string, string>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Serves dist/ under `folder`, which begins and ends with a slash. */
  static async start(folder: string): Promise<PlainHost> {
    const server = createServer((request, response) => {
      const path = (request.url ?? '/').split('?')[0]!;
      const send = (status: number, file: string, url: string): void => {
        const type = mediaType(file);
        response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
        const text = host.#replaced.get(url);
        if (text === undefined) createReadStream(file).pipe(response);
        else response.end(text);
      };
      const within = path.startsWith(folder) ? path.slice(folder.length) : null;
      const file = within === null ? null : locate('dist', `/${within}`);
      if (file !== null && within !== null) send(200, file, within);
      else send(404, 'dist/404.html', '404.html');
    });
    const host = new PlainHost(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return host;
  }

  /** Without a slash at its end. */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on the file has this text. */
  replace(name: string, text: string): void {
    this.#replaced.set(name, text);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }
}
