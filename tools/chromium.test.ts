import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { chromiumFlags, findChromium, vulkanEnvironment } from './chromium.mjs';

const folder = mkdtempSync(join(tmpdir(), 'secateur-chromium-'));
afterAll(() => rmSync(folder, { recursive: true }));

function browser(name: string, beside: string[] = []): string {
  const home = join(folder, name);
  mkdirSync(home);
  const path = join(home, 'google-chrome');
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  for (const file of beside) writeFileSync(join(home, file), '');
  return path;
}

test('CHROMIUM_PATH decides, and must name something that runs', () => {
  const path = browser('chosen');
  expect(findChromium({ CHROMIUM_PATH: path, PATH: '' })).toBe(path);
  expect(() => findChromium({ CHROMIUM_PATH: join(folder, 'nothing'), PATH: '' })).toThrow(/CHROMIUM_PATH is/);
});

test('without it the folders of PATH are searched', () => {
  const path = browser('on-path');
  expect(findChromium({ PATH: `${join(folder, 'empty')}:${join(folder, 'on-path')}` })).toBe(path);
});

test('Chromium without its windows comes first where tests want it, and last elsewhere', () => {
  const PATH = join(folder, 'both');
  mkdirSync(PATH);
  const [shell, chromium] = ['chromium-headless-shell', 'chromium'].map((name) => join(PATH, name)) as [string, string];
  writeFileSync(shell, '#!/bin/sh\n', { mode: 0o755 });
  expect(findChromium({ PATH })).toBe(shell);
  writeFileSync(chromium, '#!/bin/sh\n', { mode: 0o755 });
  expect(findChromium({ PATH })).toBe(chromium);
  expect(findChromium({ PATH }, { headless: true })).toBe(shell);
});

test('the software adapter is asked for unless the hardware is wanted', () => {
  expect(chromiumFlags()).toContain('--use-webgpu-adapter=swiftshader');
  expect(chromiumFlags({ software: false })).not.toContain('--use-webgpu-adapter=swiftshader');
  expect(chromiumFlags({ webgpu: false })).not.toContain('--enable-unsafe-webgpu');
});

test("Node finds the Vulkan loader and driver in the browser's folder", () => {
  const path = browser('driver', ['vk_swiftshader_icd.json', 'libvulkan.so.1']);
  const added = vulkanEnvironment(path, { LD_LIBRARY_PATH: '/first', VK_ICD_FILENAMES: '/mine.json' }, 'linux');
  expect(added['LD_LIBRARY_PATH']?.split(':').at(0)).toBe('/first');
  expect(added['LD_LIBRARY_PATH']?.split(':').at(-1)).toBe(join(folder, 'driver'));
  expect(added['VK_ICD_FILENAMES']).toBeUndefined(); // the user's own choice stays
});
