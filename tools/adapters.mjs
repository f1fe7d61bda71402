/**
 * @file `npm run test:adapters`: the GPU suite on Mesa's lavapipe, a second software adapter beside SwiftShader.
 *
 * lavapipe differs where GPUs differ: shader-f16, subgroups of 8, timestamp queries, bindings of at most 128 MiB, and LLVM
 * as compiler. Arguments go to vitest: `npm run test:adapters -- src/engine/kernels/linear.gpu.test.ts`. Needs Linux on x86-64 with
 * Mesa's Vulkan drivers, the Vulkan headers and gcc; on Debian as root they are installed where they are missing.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const driver = '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json';
const source = join(root, 'tools', 'lavapipe', 'layer.c');
const packages = ['mesa-vulkan-drivers', 'libvulkan-dev', 'gcc', 'libc6-dev'];

function run(command, parameters, environment = {}) {
  const { status, error } = spawnSync(command, parameters, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (error) throw new Error(`${command} could not be started: ${error.message}`);
  return status;
}

/** Installs the driver, the headers and the compiler where one is missing, or says which command does. */
function ensurePackages() {
  const found = existsSync(driver) && existsSync('/usr/include/vulkan/vk_layer.h') && existsSync('/usr/bin/gcc');
  if (found) return;
  const hint = `Install lavapipe and what builds its layer: apt-get install ${packages.join(' ')}.`;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) throw new Error(hint);
  const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
  for (const step of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    if (run('apt-get', ['-qq', ...step], quiet) !== 0) throw new Error(`apt-get ${step[0]} failed. ${hint}`);
  }
}

/** Compiles the layer that lets Dawn use lavapipe (layer.c says why) and returns its folder. */
function builtLayer() {
  const folder = join(tmpdir(), `secateur-lavapipe-${process.getuid?.() ?? 0}`);
  const library = join(folder, 'layer.so');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!existsSync(library) || statSync(library).mtimeMs < statSync(source).mtimeMs) {
    if (run('gcc', ['-O2', '-fPIC', '-shared', '-o', library, source]) !== 0)
      throw new Error('gcc could not build the layer.');
  }
  const functions = { vkGetInstanceProcAddr: 'lvpGetInstanceProcAddr', vkGetDeviceProcAddr: 'lvpGetDeviceProcAddr' };
  const layer = {
    name: 'VK_LAYER_lavapipe_for_dawn',
    type: 'GLOBAL',
    library_path: library,
    api_version: '1.3.230',
    implementation_version: '1',
    description: 'lets Dawn use lavapipe',
    functions,
  };
  writeFileSync(join(folder, 'layer.json'), JSON.stringify({ file_format_version: '1.1.2', layer }));
  return folder;
}

function main() {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('test:adapters needs Linux on x86-64.');
  ensurePackages();
  const environment = {
    VK_ICD_FILENAMES: driver,
    VK_LAYER_PATH: builtLayer(),
    VK_INSTANCE_LAYERS: 'VK_LAYER_lavapipe_for_dawn',
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
  };
  const vitest = join(root, 'node_modules', '.bin', 'vitest');
  process.exitCode = run(vitest, ['run', '--project', 'gpu', ...process.argv.slice(2)], environment) ?? 1;
}

try {
  main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
