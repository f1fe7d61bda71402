import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkBudget, firstPaintScripts } from './budget.mjs';

let dist = '';

beforeEach(() => {
  dist = mkdtempSync(join(tmpdir(), 'secateur-budget-'));
  mkdirSync(join(dist, 'assets'));
});
afterEach(() => rmSync(dist, { recursive: true }));

function page(html: string, scripts: Record<string, string>): void {
  writeFileSync(join(dist, 'index.html'), html);
  for (const [name, code] of Object.entries(scripts)) writeFileSync(join(dist, 'assets', name), code);
}

test('counts the entry, its preloads and what they import statically, each once, and nothing lazy', () => {
  page(
    '<script type="module" crossorigin src="./assets/index.js"></script><link rel="modulepreload" href="./assets/vendor.js"><link rel="stylesheet" href="./assets/index.css">',
    {
      'index.js': 'import{a as b}from"./vendor.js";import"./side.js";const c=()=>import("./lazy.js");b(c);',
      'vendor.js': 'export const a=console.log;',
      'side.js': 'export{d}from"./vendor.js";',
      'lazy.js': 'export default 1;',
    },
  );
  expect(
    firstPaintScripts(dist)
      .map(({ file }) => file)
      .sort(),
  ).toEqual(['assets/index.js', 'assets/side.js', 'assets/vendor.js']);
});

test('passes below the budget and fails above it with the largest file named first', () => {
  page('<script type="module" src="/assets/index.js"></script>', {
    'index.js': `import"./big.js";`,
    'big.js': `export default "${randomBytes(3000).toString('hex')}";`,
  });
  expect(checkBudget(dist, 10_000)).toContain('assets/big.js');
  expect(() => checkBudget(dist, 1000)).toThrow(/budget 1\.0 kB\n +\S+ kB {2}assets\/big\.js/);
});

test('a page without scripts was not built', () => {
  page('<p>nothing', {});
  expect(() => checkBudget(dist)).toThrow(/no script/);
});
