import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { indexFile, isWeightsPath } from '../../src/shards/formats/shardIndex';
import { configFile, optionalFiles, tokenizerModelFile, weightsFile } from '../../src/shards/sources/modelFiles';
import { belongsToModel, serveModel } from './modelServer.mjs';
import { plain } from './plain.mjs';

const top = mkdtempSync(join(tmpdir(), 'secateur-model-'));
const folder = join(top, 'models--o--n', 'snapshots', 'abc');
const origin = 'http://127.0.0.1:4173';
let served: Awaited<ReturnType<typeof serveModel>>;

beforeAll(async () => {
  const blobs = join(top, 'models--o--n', 'blobs');
  mkdirSync(join(folder, '.git'), { recursive: true });
  mkdirSync(blobs);
  writeFileSync(join(folder, 'config.json'), '{"model": 1}');
  writeFileSync(join(folder, 'notes.txt'), 'private');
  writeFileSync(join(folder, 'train.py'), 'private');
  writeFileSync(join(folder, '.env'), 'private');
  writeFileSync(join(folder, '.git', 'config.json'), 'private');
  writeFileSync(join(top, 'secret.json'), 'private');
  writeFileSync(join(blobs, 'b1'), 'weights');
  // As Hugging Face's tools keep their downloads.
  symlinkSync(join(blobs, 'b1'), join(folder, 'model.safetensors'));
  symlinkSync(join(top, 'secret.json'), join(folder, 'tokenizer.json'));
  served = await serveModel(folder, origin);
});

afterAll(async () => {
  await served.close();
  rmSync(top, { recursive: true });
});

interface Answer {
  status: number;
  body: string;
  allowed: string | undefined;
}

/** A request as it stands: fetch would tidy paths and choose the Host header itself. */
function ask(path: string, headers: Record<string, string> = { Origin: origin }): Promise<Answer> {
  const { port } = new URL(served.url);
  return new Promise((done, failed) => {
    const sent = request({ host: '127.0.0.1', port, path, headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      const allowed = response.headers['access-control-allow-origin'];
      response.on('end', () => done({ status: response.statusCode ?? 0, body, allowed }));
    });
    sent.on('error', failed);
    sent.end();
  });
}

const secret = () => new URL(served.url).pathname;

test('the page gets the files of the model, and what links into the store of Hugging Face’s tools', async () => {
  expect(await ask(`${secret()}config.json`)).toEqual({ status: 200, body: '{"model": 1}', allowed: origin });
  expect(await ask(`${secret()}model.safetensors`)).toMatchObject({ status: 200, body: 'weights' });
});

test('every file that a load asks for may be asked for', () => {
  for (const name of [configFile, ...optionalFiles, tokenizerModelFile, weightsFile, indexFile]) {
    expect(belongsToModel(name), name).toBe(true);
  }
  for (const name of [
    'model-00001-of-00003.safetensors',
    'shards/a.safetensors',
    '../a.safetensors',
    '.x/a.safetensors',
  ]) {
    expect(belongsToModel(name), name).toBe(isWeightsPath(name));
  }
});

test.each([
  'notes.txt',
  'train.py',
  '.env',
  '.git/config.json',
  '',
  'tokenizer.json',
  '../../../secret.json',
  '%2e%2e/x',
  '%zz',
])('nothing else of the folder is served: %s', async (name) => {
  const { status, body } = await ask(secret() + name);
  expect(status).toBe(404);
  expect(body).not.toContain('private');
});

test('without the address that nobody can guess there is nothing', async () => {
  expect(secret()).toMatch(/^\/[0-9a-f]{32}\/$/);
  for (const path of ['/', '/config.json', `/${'0'.repeat(32)}/config.json`, `/${secret()}config.json`]) {
    expect((await ask(path)).status, path).toBe(404);
  }
});

test('no other page may read it, not even one whose name was made to point here', async () => {
  const path = `${secret()}config.json`;
  expect((await ask(path, { Origin: 'https://evil.example' })).allowed).toBeUndefined();
  expect((await ask(path, { Origin: 'null' })).allowed).toBeUndefined();
  expect(await ask(path, { Host: 'evil.example', Origin: origin })).toMatchObject({ status: 421 });
  expect(await ask(path, { Host: 'localhost.evil.example:80' })).toMatchObject({ status: 421 });
});

test('what a model says moves no cursor', () => {
  expect(plain('a\u001b[2J\u009b1mb\u202e\r\n\tc é')).toBe('a\\u{1b}[2J\\u{9b}1mb\\u{202e}\\u{d}\n\tc é');
});
