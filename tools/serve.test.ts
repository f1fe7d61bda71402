import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byteRange, mediaType, serve } from './serve.mjs';

const folder = mkdtempSync(join(tmpdir(), 'secateur-serve-'));
const root = join(folder, 'site');
let site: Awaited<ReturnType<typeof serve>>;

beforeAll(async () => {
  mkdirSync(join(root, 'sub'), { recursive: true });
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  writeFileSync(join(root, 'index.html'), '<p>hello');
  writeFileSync(join(root, 'digits.bin'), '0123456789');
  writeFileSync(join(root, 'empty.txt'), '');
  writeFileSync(join(root, 'sub', 'index.html'), '<p>sub');
  symlinkSync(join(folder, 'secret.txt'), join(root, 'leak.txt'));
  symlinkSync(folder, join(root, 'out'));
  writeFileSync(join(root, '.hidden'), 'secret');
  writeFileSync(join(root, 'sub', '.hidden'), 'secret');
  site = await serve({ root, port: 0, hosts: ['lab.example'] });
});

afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

/** A request whose path is sent as it stands: fetch would tidy `..` away. */
function raw(path: string, headers = {}): Promise<{ status: number; body: string }> {
  return new Promise((done, failed) => {
    const sent = request({ host: '127.0.0.1', port: site.port, path, headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () => done({ status: response.statusCode ?? 0, body }));
    });
    sent.on('error', failed);
    sent.end();
  });
}

test('the page comes with the headers that isolate it', async () => {
  const response = await fetch(site.url);
  expect(await response.text()).toBe('<p>hello');
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(response.headers.get('cross-origin-opener-policy')).toBe('same-origin');
  expect(response.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
  expect(response.headers.get('cross-origin-resource-policy')).toBe('same-origin');
});

test('other sites may frame the embed view alone, under the same policy', async () => {
  const headers = async (path: string): Promise<(string | null)[]> => {
    const response = await fetch(site.url + path);
    return ['content-security-policy', 'cross-origin-resource-policy'].map((name) => response.headers.get(name));
  };
  const [whole, own] = await headers('?model=embed');
  const [framed, shared] = await headers('?embed=latency');
  expect([whole, own]).toEqual([`${framed}; frame-ancestors 'none'`, 'same-origin']);
  expect(shared).toBe('cross-origin');
});

test('the page, its scripts and refusals come under a policy, and their types are not guessed', async () => {
  for (const path of ['', 'digits.bin', 'nothing.js']) {
    const { headers } = await fetch(site.url + path);
    const policy = new Map(
      (headers.get('content-security-policy') ?? '')
        .split('; ')
        .map((each) => each.split(/ (.*)/s, 2) as [string, string]),
    );
    expect(policy.get('default-src')).toBe("'none'");
    expect(policy.get('script-src')).toBe("'self' 'wasm-unsafe-eval'");
    expect(policy.get('frame-ancestors')).toBe("'none'");
    expect(policy.get('object-src')).toBe("'none'");
    expect(policy.get('base-uri')).toBe("'none'");
    expect(policy.get('form-action')).toBe("'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  }
});

test.each(['127.0.0.1', 'localhost:8080', 'LOCALHOST', '[::1]:4173', 'lab.example:4173'])(
  'requests for this machine, tunnels included, and for names that were allowed are answered: %s',
  async (Host) => {
    expect((await raw('/', { Host })).status).toBe(200);
  },
);

test.each(['evil.example', 'localhost.evil.example:4173', '127.0.0.1.evil.example', '0.0.0.0:4173'])(
  'a name that somebody made to point here is not: %s',
  async (Host) => {
    const { status, body } = await raw('/', { Host });
    expect(status).toBe(421);
    expect(body).not.toContain('hello');
  },
);

test('a folder answers with its index, a missing file with 404, another method with 405', async () => {
  expect(await (await fetch(`${site.url}sub/`)).text()).toBe('<p>sub');
  expect((await fetch(`${site.url}nothing.js`)).status).toBe(404);
  expect((await fetch(site.url, { method: 'POST' })).status).toBe(405);
  expect(await (await fetch(`${site.url}empty.txt`)).text()).toBe('');
});

test.each([
  '/../secret.txt',
  '/%2e%2e/secret.txt',
  '/sub/..%2f..%2fsecret.txt',
  '/leak.txt',
  '/.hidden',
  '/sub/.hidden',
  '/out/secret.txt',
  '//secret.txt',
  '/%5c..%5csecret.txt',
  '/%00',
  '/%zz',
])('nothing outside the folder is served: %s', async (path) => {
  const { status, body } = await raw(path);
  expect(status).toBe(404);
  expect(body).not.toContain('secret');
});

describe('byte ranges', () => {
  test.each([
    ['bytes=2-4', { begin: 2, end: 4 }],
    ['bytes=7-', { begin: 7, end: 9 }],
    ['bytes=-3', { begin: 7, end: 9 }],
    ['bytes=-30', { begin: 0, end: 9 }],
    ['bytes=8-99', { begin: 8, end: 9 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=5-4', 'unsatisfiable'],
    ['bytes=0-1,3-4', 'whole'],
    ['bytes=-', 'whole'],
    [undefined, 'whole'],
  ])('%s of ten bytes', (header, expected) => {
    expect(byteRange(header, 10)).toEqual(expected);
  });

  test('are sent as 206 with their place, and refused as 416', async () => {
    const part = await fetch(`${site.url}digits.bin`, { headers: { Range: 'bytes=2-4' } });
    expect([part.status, await part.text()]).toEqual([206, '234']);
    expect(part.headers.get('content-range')).toBe('bytes 2-4/10');
    const beyond = await fetch(`${site.url}digits.bin`, { headers: { Range: 'bytes=10-' } });
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
  });
});

test('weights and unknown files are bytes; wasm and modules have their types', () => {
  expect(mediaType('a/model.safetensors')).toBe('application/octet-stream');
  expect(mediaType('x.WASM')).toBe('application/wasm');
  expect(mediaType('x.mjs')).toBe('text/javascript; charset=utf-8');
  expect(mediaType('x.json')).toBe('application/json');
});

test('a taken port moves on to the next free one, unless it must be this one', async () => {
  const next = await serve({ root, port: site.port });
  expect(next.port).toBeGreaterThan(site.port);
  await next.close();
  await expect(serve({ root, port: site.port, strict: true })).rejects.toThrow(/EADDRINUSE/);
});
