/** @file Finds Chromium, and what WebGPU needs on a machine without a GPU: flags for the browser, a driver for Node. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
/** Chromium without its windows, as Playwright, too, uses for tests: the end-to-end tests take 5 % less processor time in it. */
const headlessName = 'chromium-headless-shell';
const applications = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** What to do when there is no browser; one line. */
export const installHint =
  'Install Chromium (Debian: apt-get install chromium) or set CHROMIUM_PATH to a Chromium or Chrome executable.';

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Path of a Chromium or Chrome executable, or null. CHROMIUM_PATH decides when it is set. Where it is not, `headless` prefers
 * Chromium without its windows, which otherwise comes last.
 * @throws Error when CHROMIUM_PATH names nothing that can be run
 * @returns {string | null}
 */
export function findChromium(environment = process.env, { headless = false } = {}) {
  const chosen = environment.CHROMIUM_PATH;
  if (chosen) {
    if (!executable(chosen)) throw new Error(`CHROMIUM_PATH is '${chosen}', which is not an executable file.`);
    return chosen;
  }
  const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  const wanted = headless ? [headlessName, ...names] : [...names, headlessName];
  const candidates = [...wanted.flatMap((name) => folders.map((folder) => join(folder, name))), ...applications];
  return candidates.find(executable) ?? null;
}

const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'];

/**
 * Command-line flags. `software`: WebGPU through SwiftShader on the CPU, right but slow; else the machine's own GPU.
 * Without `webgpu` no adapter is found, as in a browser whose GPU is blocked.
 */
export function chromiumFlags({ software = true, webgpu = true } = {}) {
  const flags = ['--no-sandbox', ...quiet];
  if (!webgpu) return [...flags, '--disable-gpu'];
  flags.push('--enable-unsafe-webgpu', '--enable-features=Vulkan');
  return software ? [...flags, '--use-webgpu-adapter=swiftshader'] : flags;
}

function aptGet(...parameters) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', ['-qq', ...parameters], { stdio: 'inherit', env: environment }).status === 0;
}

/**
 * Installs Chromium where that needs no question: Debian, as root. Returns its path, or throws with what to do. Where
 * `headless` is set, that is Chromium without its windows if Debian has it: a download of 59 MB instead of 77.
 */
export function ensureChromium({ headless = false } = {}) {
  const found = findChromium(process.env, { headless });
  if (found !== null) return found;
  const debian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!debian) throw new Error(`No Chromium was found. ${installHint}`);
  console.log('No Chromium was found: installing it with apt-get (some minutes, once).');
  if (!aptGet('update')) throw new Error(`apt-get update failed. ${installHint}`);
  // Not every release of Debian has the one without windows.
  const packages = headless ? [headlessName, 'chromium'] : ['chromium'];
  if (!packages.some((name) => aptGet('install', '-y', '--no-install-recommends', name, 'fonts-liberation'))) {
    throw new Error(`apt-get install failed. ${installHint}`);
  }
  const installed = findChromium(process.env, { headless });
  if (installed === null) throw new Error(`apt-get installed no usable Chromium. ${installHint}`);
  return installed;
}

/** A render device that a Vulkan driver could drive. */
function hasGpu() {
  const renders = existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
  return renders || existsSync('/dev/nvidia0');
}

/**
 * Environment in which the npm package `webgpu` finds an adapter. Chromium's folder holds a software Vulkan driver and
 * a Vulkan loader; the loader is found through LD_LIBRARY_PATH only when it is set before Node starts.
 * @returns {Record<string, string | undefined>} what to add to `environment`
 */
export function vulkanEnvironment(chromium, environment = process.env, platform = process.platform) {
  if (platform !== 'linux' || chromium === null) return {};
  const folders = [dirname(realpathSync(chromium)), '/usr/lib/chromium', '/opt/google/chrome'];
  const folder = folders.find((path) => existsSync(join(path, 'vk_swiftshader_icd.json')));
  if (folder === undefined) return {};
  /** @type {Record<string, string | undefined>} */
  const added = {};
  if (existsSync(join(folder, 'libvulkan.so.1'))) {
    // Last in the list: an installed loader goes first.
    added.LD_LIBRARY_PATH = [
      environment.LD_LIBRARY_PATH,
      '/usr/lib/x86_64-linux-gnu',
      '/usr/lib/aarch64-linux-gnu',
      folder,
    ]
      .filter(Boolean)
      .join(delimiter);
  }
  if (!environment.VK_ICD_FILENAMES && !hasGpu()) added.VK_ICD_FILENAMES = join(folder, 'vk_swiftshader_icd.json');
  return added;
}
