import { expect, test } from 'vitest';
import { pathWithin } from './files';
import { isolated } from './isolate';

const policy = "default-src 'none'";

test('the page gets the isolation headers and its policy, and no frame', () => {
  const plain = new Response('page', {
    headers: { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip', 'Content-Length': '9' },
  });
  const { headers } = isolated(plain, { address: 'https://host/folder/?model=demo', policy });
  expect(Object.fromEntries(headers)).toEqual({
    'content-type': 'text/html',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-embedder-policy': 'require-corp',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  });
});

test('a report may stand in the frame of another site', () => {
  const { headers } = isolated(new Response(''), { address: 'https://host/?embed', policy });
  expect(headers.get('Content-Security-Policy')).toBe(policy);
  expect(headers.get('Cross-Origin-Resource-Policy')).toBe('cross-origin');
});

test('responses without a body, refusals and redirects pass', async () => {
  expect(isolated(new Response(null, { status: 204 }), { address: 'https://host/', policy }).status).toBe(204);
  expect(await isolated(new Response('no', { status: 404 }), { address: 'https://host/', policy }).text()).toBe('no');
  const redirect = Response.error();
  expect(isolated(redirect, { address: 'https://host/', policy })).toBe(redirect);
});

test('only addresses in the page’s folder are its own', () => {
  const within = (address: string) => pathWithin('https://host/folder/', address);
  expect(within('https://host/folder/')).toBe('index.html');
  expect(within('https://host/folder/?model=x#s1.y')).toBe('index.html');
  expect(within('https://host/folder/assets/a.js?v=1')).toBe('assets/a.js');
  for (const other of ['https://host/', 'https://host/folders/', 'https://host:8443/folder/', 'http://host/folder/']) {
    expect(within(other), other).toBeNull();
  }
  expect(within('https://huggingface.co/folder/config.json')).toBeNull();
});
